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
PICTURES = frozenset((
    "image", "images", "img", "imgs", "photo", "photos", "rgb", "input", "inputs", "picture", "pictures", "original",
    "originals", "jpegimages", "leftimg8bit",
))  # fmt: skip
TRUTHS = frozenset((
    "mask", "masks", "label", "labels", "annotation", "annotations", "gt", "gts", "truth", "truths", "groundtruth",
    "target", "targets", "seg", "segs", "segmentation", "segmentations", "segmentationclass", "segmentationobject",
    "gtfine", "depth", "contour", "contours", "trimap", "trimaps", "output", "outputs",
))  # fmt: skip
BEHIND = re.compile(r"(.+)[ _-](mask|masks|seg|segmentation|label|gt|annotation|trimap)", re.IGNORECASE)
FEWEST = 4  # files that are called alike in two folders by no accident
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


def paired(names: Iterable[str], classes: Iterable[str]) -> str:
    """A sentence where two classes look like images and what belongs to each, as masks do; nothing elsewhere.

    That is where folders are called so, or where two folders hold files of the same names that do not just count.

    >>> paired(["images/1.png", "masks/1.png"], ["images", "masks"])[:38]
    'images and masks are read as 2 classes'
    >>> paired(["cat/1.png", "dog/1.png"], ["cat", "dog"])
    ''
    """
    stems: dict[str, set[str]] = {}
    for name, each in zip(names, classes, strict=True):
        stems.setdefault(each, set()).add(PurePosixPath(name).stem)
    found = sorted(stems)
    if len(found) > 1 and ({*map(_role, found)} == {"picture", "truth"} or _go_together(list(stems.values()))):
        shown = f"{found[0][-30:]} and {found[-1][-30:]}"
        told = f"{shown} are read as {len(found)} classes"
        return f"{told}; if one holds the masks or targets of the other, give the folder of the images alone"
    every = [stem for each in stems.values() for stem in each]
    behind, whole = [match[1] for stem in every if (match := BEHIND.fullmatch(stem))], len(every)
    if behind and 3 * len(behind) >= whole and set(behind) <= set(every):
        told = f"{len(behind):,} of {whole:,} images are called like another and _mask or the like behind it"
        return f"{told}; if they are its masks, keep them in a folder of their own"
    return ""


def _role(name: str) -> str:
    words = {word for part in name.lower().split("/") for word in re.split(r"[^a-z0-9]+", part)}
    return "truth" if words & TRUTHS else "picture" if words & PICTURES else ""


def _go_together(stems: list[set[str]]) -> bool:
    """Whether two folders hold the same names, which differ in more than a number that counts."""
    if len(stems) != 2 or stems[0] != stems[1] or len(stems[0]) < FEWEST:
        return False
    runs: dict[str, list[int]] = {}
    for stem in stems[0]:
        found = re.findall(r"\d+", stem)
        runs.setdefault(re.sub(r"\d+", "0", stem), []).append(int(found[-1]) if found else -1)
    return not all(sorted(run) == list(range(max(0, min(run)), max(0, min(run)) + len(run))) for run in runs.values())


def nested(classes: Iterable[str]) -> str:
    """A sentence on a folder that is a class and holds folders which are classes besides; nothing elsewhere.

    >>> nested(["cat", "cat/more", "dog"])
    'cat holds images and the folder cat/more, which is a class of its own'
    """
    found = set(classes)
    inner = next((each for each in sorted(found) if each.rpartition("/")[0] in found), "")
    outer = inner.rpartition("/")[0]
    return f"{outer[-40:]} holds images and the folder {inner[-60:]}, which is a class of its own" if inner else ""


def _last(name: str) -> str:
    return name.rpartition("/")[2]
