"""How images lie in folders: which folders stand for splits, and which for the classes within them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import PurePosixPath

SPLITS = {
    "train": "train", "training": "train", "test": "test", "testing": "test",
    "val": "val", "valid": "valid", "validation": "validation",
}  # fmt: skip
SPLIT = re.compile(rf"(?P<before>|.*[^a-z])(?P<word>{'|'.join(SPLITS)})(?P<after>|set.*|[^a-z].*)", re.IGNORECASE)
UNLABELLED = "unlabelled"
Parts = tuple[str, ...]


def arranged(names: tuple[str, ...]) -> tuple[list[str], dict[str, range]]:
    """The folder of each image that stands for its class, and the rows of each split where folders stand for splits.

    Splits are folders called train, test or val, also within the same longer name, as ``seg_train`` beside ``seg_test``
    and ``train`` beside ``test1``. A folder in one that is called like it (``train/train``) does not count as a class.

    >>> arranged(("seg_test/seg_test/cat/1.png", "seg_train/seg_train/cat/1.png"))
    (['cat', 'cat'], {'train': range(1, 2), 'test': range(0, 1)})
    """
    folders = [PurePosixPath(name).parent.parts for name in names]
    depth = 0
    while all(len(parts) > depth for parts in folders) and len({parts[depth] for parts in folders}) == 1:
        depth += 1
    tops = [parts[depth] if len(parts) > depth else "" for parts in folders]
    firsts = [k for k, top in enumerate(tops) if k == 0 or tops[k - 1] != top]
    called = _splits([tops[k] for k in firsts])
    if not called:
        loose = UNLABELLED if any(folders) else "."  # images beside folders of others
        return ["/".join(parts) or loose for parts in folders], {}
    rows = list(map(range, firsts, [*firsts[1:], len(names)]))
    classes = [each for part in rows for each in _within(folders[part.start : part.stop], depth)]
    named = [name or UNLABELLED for name in classes] if any(classes) else classes
    splits = dict(zip(called, rows, strict=True))
    return named, {name: splits[name] for name in SPLITS.values() if name in splits}


def _splits(tops: list[str]) -> list[str]:
    """The split that each of two folders or more stands for; nothing where one stands for none, or two for the same."""
    found = [SPLIT.fullmatch(top) for top in tops]
    if len(tops) < 2 or None in found:
        return []
    rests = {(each["before"].lower(), re.sub(r"\d+$", "", each["after"]).lower()) for each in found if each}
    called = [SPLITS[each["word"].lower()] for each in found if each]
    return called if len(rests) == 1 and len(set(called)) == len(called) else []


def _within(folders: list[Parts], depth: int) -> list[str]:
    """The classes of the images of one split, whose own folder stands at `depth`."""
    inner = {parts[depth + 1] if len(parts) > depth + 1 else "" for parts in folders}
    again = len(inner) == 1 and inner.pop().lower() in (folders[0][depth].lower(), _word(folders[0][depth]))
    return ["/".join(parts[depth + 1 + again :]) for parts in folders]


def _word(top: str) -> str:
    match = SPLIT.fullmatch(top)
    return match["word"].lower() if match else top


def doubled(classes: Iterable[str]) -> str:
    """A sentence on classes that are called by paths with the same last folder; nothing where there are none.

    >>> doubled(["cat/a", "cat/b", "dog/a"])
    '3 classes are called by their paths, 2 of them end alike (cat/a, dog/a): is it one class, or a part of the data?'
    >>> doubled(["cat/a", "dog/b"])
    ''
    """
    found = sorted(set(classes))
    times = Counter(map(_last, found))
    alike = [each for each in found if times[_last(each)] > 1]
    if not alike:
        return ""
    shown = ", ".join(each[-30:] for each in alike if _last(each) == _last(alike[0]))
    told = f"{len(found):,} classes are called by their paths, {len(alike):,} of them end alike ({shown[:60]})"
    return f"{told}: is it one class, or a part of the data?"


def _last(name: str) -> str:
    return name.rpartition("/")[2]
