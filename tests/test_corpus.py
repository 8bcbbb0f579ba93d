"""Every malformed file that fuzzing found is refused in one line, and so are some fresh ones."""

import random
from pathlib import Path

import pytest
from loaders import LOADERS, problem, sound_files
from mutations import mutated


def test_finds_stay_mended(tmp_path: Path) -> None:
    for find in sorted(Path(__file__).with_name("corpus").glob("*/*")):
        what, message = problem(find.parent.name, find.read_bytes(), tmp_path)
        assert not what, f"{find}: {what}: {message}"


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return sound_files(tmp_path_factory.mktemp("sound"))


@pytest.mark.parametrize("name", LOADERS)
def test_mutated(sound: dict[str, Path], name: str, tmp_path: Path) -> None:
    content, chance = sound[name].read_bytes(), random.Random(f"test {name}")
    assert problem(name, content, tmp_path) == ("", "")
    for number in range(20):
        what, message = problem(name, mutated(content, chance), tmp_path)
        assert not what, f"input {number}: {what}: {message}"
