"""Which files are images: every one that counts is read or counted as skipped, whatever links there are."""

import os
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from latentlab.data._listing import SUFFIXES, natural, of_archive, of_folder, stored_names, with_slashes

FOLDERS = st.sampled_from(["a", "b", "a/b", "a/c", "b/c/d", ".hidden", "@eaDir", "a/__MACOSX"])
FILES = st.sampled_from(["0.png", "1.JPG", "2.jfif", "3.heic", "README", "4.tar.gz", "Thumbs.db", ".5.png"])
TREE = st.sets(st.tuples(FOLDERS, FILES), max_size=20)
LINKS = st.lists(st.tuples(FOLDERS, st.sampled_from(["a", "b", "a/b", "b/c", "."])), max_size=6)


def counts(path: Path) -> bool:
    """Whether a file is to be counted at all, said once more in another way."""
    return not any(part in ("@eaDir", "__MACOSX", "Thumbs.db") or part.startswith(".") for part in path.parts)


@settings(max_examples=60, deadline=None)
@given(TREE, LINKS)
def test_every_file_is_read_or_counted_and_none_twice(tree: set[tuple[str, str]], links: list[tuple[str, str]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        for folder, file in tree:
            (top / folder).mkdir(parents=True, exist_ok=True)
            (top / folder / file).touch()
        for k, (folder, target) in enumerate(links):
            if (top / folder).is_dir() and (top / target).is_dir():
                (top / folder / f"link {k}").symlink_to(top / target)
        listing = of_folder(top)
        real = {Path(os.path.realpath(top / each)).relative_to(top.resolve()) for each in listing.images}
        wanted = {Path(folder, file) for folder, file in tree if counts(Path(folder, file))}
        assert len(real) == len(listing.images)
        assert real == {path for path in wanted if path.suffix.lower() in SUFFIXES}
        others = {kind: n for kind, n in listing.passed.items() if "link" not in kind}
        assert sum(others.values()) == len(wanted) - len(real)
        assert listing.images == sorted(listing.images, key=natural)


@given(TREE, st.booleans())
def test_a_zip_lists_what_its_folder_would(tree: set[tuple[str, str]], windows: bool) -> None:
    names = [f"{folder}/{file}" for folder, file in sorted(tree)]
    written = [name.replace("/", "\\") if windows else name for name in names]
    stored = stored_names(written)
    listing = of_archive(stored)
    assert sorted(listing.images) == [
        name for name in sorted(names) if counts(Path(name)) and Path(name).suffix.lower() in SUFFIXES
    ]
    assert all(stored[name] in written for name in listing.images)
    assert sum(listing.passed.values()) == sum(counts(Path(name)) for name in names) - len(listing.images)


@given(st.lists(st.sampled_from(["1", "01", "001", "a", "10", "2"]), min_size=1, max_size=4).map("".join))
def test_no_two_names_are_alike_in_order(name: str) -> None:
    others = [name, name.replace("1", "01", 1), f"{name}0", f"0{name}"]
    assert len({tuple(natural(each)) for each in others}) == len(set(others))


def test_a_zip_of_windows_may_hold_folders_parted_otherwise() -> None:
    names = ["readme/", "a\\1.png", "b\\1.png", "c/1.png", "c\\1.png"]
    assert with_slashes(names) == ["readme/", "a/1.png", "b/1.png", "c/1.png", "c\\1.png"]
    assert stored_names(names)["a/1.png"] == "a\\1.png"


def test_files_of_one_name_in_a_zip_are_counted() -> None:
    listing = of_archive(["a/1.png", "a/1.png", "a/2.png", "a/1.png", "a/"])
    assert listing.images == ["a/1.png", "a/2.png"]
    assert listing.remarks == ("2 of 4 files skipped: 2 replaced by later ones of the same name",)
