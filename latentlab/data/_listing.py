"""Which files under a folder or in a ``.zip`` are images, and which are skipped."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from latentlab.errors import InputError

SUFFIXES = frozenset(
    ".png .jpg .jpeg .jpe .jfif .pjp .pjpeg .bmp .gif .webp .tif .tiff .pgm .ppm .pbm .pnm".split()  # noqa: SIM905
)
SERVICE = frozenset({"@eaDir", "@Recycle", "#recycle", "$RECYCLE.BIN", "Thumbs.db", "desktop.ini"})
Stamp = tuple[int, int, int]  # inode, size and time of the last change
TABLES, BESIDE = (".csv", ".tsv", ".parquet", ".xlsx"), (".txt", ".json", ".xml")  # where labels may be written
NAMED = 5  # suffixes that are named among what is skipped


@dataclass
class Listing:
    """Names of images, parted by ``/`` and in natural order, how many files of each kind were skipped, and which
    folders hold nothing."""

    images: list[str] = field(default_factory=list)
    passed: Counter[str] = field(default_factory=Counter)
    empty: list[str] = field(default_factory=list)

    def add(self, name: str) -> None:
        """Sort in a regular file."""
        suffix = PurePosixPath(name).suffix.lower()
        if suffix in SUFFIXES:
            self.images.append(name)
        else:
            self.passed[suffix or "without a suffix"] += 1

    @property
    def annotated(self) -> str:
        """The ending of skipped files that may hold the labels of the images: a table, or a file beside each image."""
        beside = (kind for kind in BESIDE if self.passed[kind] >= len(self.images))
        return next((kind for kind in TABLES if self.passed[kind]), next(beside, ""))

    def known(self, path: Path) -> tuple[tuple[str, ...], tuple[Stamp, ...]]:
        """The names, and by what it is seen that a file (of a zip, all of it) is another than it was."""
        files = [path / name for name in self.images] if path.is_dir() else [path]
        stats = [file.stat() for file in files]
        return tuple(self.images), tuple((stat.st_ino, stat.st_size, stat.st_mtime_ns) for stat in stats)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What was skipped, and which folders are empty, a sentence each; nothing where every file is an image."""
        left = sum(self.passed.values())
        kinds = [f"{count:,} {kind[:40]}" for kind, count in self.passed.most_common(NAMED)]
        more = [] if len(self.passed) <= NAMED else ["…"]
        skipped = [f"{left:,} of {left + len(self.images):,} files skipped: {', '.join(kinds + more)}"] if left else []
        named = ", ".join(name[-30:] for name in self.empty[:NAMED]) + (", …" if len(self.empty) > NAMED else "")
        noun = "folder is" if len(self.empty) == 1 else "folders are"
        return (*skipped, *([f"{len(self.empty):,} {noun} empty: {named}"] if self.empty else []))


def natural(name: str) -> list[tuple[int, str]]:
    """A key by which ``image2`` sorts before ``image10``, and no two names are alike: ``01`` sorts before ``1``."""
    words = [(int(word), "") if word.isdecimal() else (-1, word) for word in re.split(r"([0-9]+)", name)]
    return [*words, (-2, name)]


def of_folder(top: Path) -> Listing:
    """The files under a folder; links to folders are followed, each folder is read once.

    What is hidden, or made by a system for itself (``@eaDir``, ``__MACOSX``), does not count. Raises `InputError` where
    a link that may stand for an image or a class leads nowhere, and where a folder cannot be listed.
    """
    listing, absent, seen = Listing(), list[str](), set[tuple[int, int]]()
    own, linked = [("", top)], list[tuple[str, Path]]()
    while own or linked:
        linked.sort()
        prefix, folder = own.pop() if own else linked.pop(0)
        stat = folder.stat()
        if (stat.st_dev, stat.st_ino) in seen:
            listing.passed["link to a folder that is already read"] += 1
            continue
        seen.add((stat.st_dev, stat.st_ino))
        entries = _entries(folder)
        if prefix and not entries:
            listing.empty.append(prefix[:-1])
        for entry in entries:
            name = prefix + entry.name
            if entry.is_dir(follow_symlinks=False):
                own.append((f"{name}/", Path(entry.path)))
            elif entry.is_file(follow_symlinks=False):
                listing.add(name)
            elif not entry.is_symlink():
                listing.passed["neither file nor folder"] += 1
            elif not Path(entry.path).exists():
                absent.append(name)
            elif Path(entry.path).is_dir():
                linked.append((f"{name}/", Path(entry.path)))
            elif Path(entry.path).is_file():
                listing.add(name)
            else:
                listing.passed["neither file nor folder"] += 1
    _check_absent(top, absent, listing)
    listing.images.sort(key=natural)
    listing.empty.sort(key=natural)
    return listing


def of_archive(names: Iterable[str]) -> Listing:
    """The files of a ``.zip`` by their names, parted by ``/``; the last of one name counts, as in unpacking."""
    listing = Listing()
    for name, times in Counter(list(names)).items():
        parts = PurePosixPath(name).parts
        if ".." in parts:
            listing.passed["with a path out of the archive"] += times
            continue
        if name.endswith("/") or any(map(_ignored, parts)):
            continue
        listing.add(name)
        listing.passed["replaced by later ones of the same name"] += times - 1
    listing.passed = +listing.passed
    listing.images.sort(key=natural)
    return listing


def with_slashes(names: Iterable[str]) -> list[str]:
    """The names in an archive, parted by ``/``: Windows may part by backslashes.

    A name keeps its backslashes where it has a ``/`` besides, or where another would be called like it.
    """
    written = list(names)
    taken = {name for name in written if "/" in name or "\\" not in name}
    parted = [name.replace("\\", "/") for name in written]
    return [name if name in taken or new in taken else new for name, new in zip(written, parted, strict=True)]


def stored_names(names: Iterable[str]) -> dict[str, str]:
    """How each name in an archive, parted by ``/``, is written in it."""
    written = list(names)
    return dict(zip(with_slashes(written), written, strict=True))


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return [entry for entry in entries if not _ignored(entry.name)]
    except OSError as error:
        raise InputError(f"{folder} cannot be listed ({error.strerror}); check its permissions") from error


def _ignored(name: str) -> bool:
    return name.startswith((".", "__MACOSX")) or name in SERVICE


def _check_absent(top: Path, absent: list[str], listing: Listing) -> None:
    """Links that lead nowhere: an error where they may stand for images (git-annex, DVC), else skipped."""
    wanted = sorted(name for name in absent if PurePosixPath(name).suffix.lower() in {*SUFFIXES, ""})
    if wanted:
        raise InputError(
            f"{str(top)[-50:]}: {len(wanted):,} links are broken, the first is {wanted[0][-40:]}; fetch their "
            "targets (git annex get, dvc pull) or remove them"
        )
    listing.passed["broken link"] += len(absent)
    listing.passed = +listing.passed
