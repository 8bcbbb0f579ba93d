"""A file of the user's own imports what lies beside it, whenever it does so, and leaves nothing of it behind."""

import sys
from pathlib import Path
from types import ModuleType

import pytest

from latentlab.errors import InputError
from latentlab.system import user_code


def project(folder: Path, value: int) -> Path:
    """A file that imports a module, a package and a folder without ``__init__.py``, all called as in other projects."""
    (folder / "parts" / "deep").mkdir(parents=True)
    (folder / "loose").mkdir()
    (folder / "nets.py").write_text(f"class Net:\n    value = {value}\n")
    (folder / "parts" / "__init__.py").write_text("from nets import Net\n")
    (folder / "parts" / "deep" / "__init__.py").write_text(f"value = {value}\n")
    (folder / "loose" / "more.py").write_text(f"value = {value}\n")
    (folder / "own.py").write_text(
        "from nets import Net\nimport parts\n\n\ndef now():\n    return Net, parts.Net\n\n\n"
        "def later():\n    import loose.more\n    import nets\n    from parts import deep\n\n"
        "    return nets.Net is Net, loose.more.value, deep.value\n"
    )
    return folder / "own.py"


def test_neighbours_are_found_and_none_stays_behind(tmp_path: Path) -> None:
    before, paths = dict(sys.modules), list(sys.path)
    for value in (1, 2):
        path = project(tmp_path / str(value), value)
        now, later = user_code.look_up(path, "now"), user_code.look_up(path, "later")
        ours, theirs = now()
        assert ours is theirs
        assert ours.value == value
        with user_code.neighbours(path):
            assert later() == (True, value, value)  # the very modules of before, not read a second time
        assert sys.path == paths
        assert set(sys.modules) - set(before) <= {"latentlab_own_own"}
    with pytest.raises(ModuleNotFoundError):
        import nets  # noqa: F401


def test_a_module_of_that_name_from_elsewhere_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = project(tmp_path / "one", 1)
    with user_code.neighbours(path):
        import nets
    elsewhere = ModuleType("nets")
    monkeypatch.setitem(sys.modules, "nets", elsewhere)
    with user_code.neighbours(path):
        assert sys.modules["nets"] is nets
    assert sys.modules["nets"] is elsewhere


def test_a_file_that_is_run_again_reads_its_neighbours_again(tmp_path: Path) -> None:
    path = project(tmp_path / "one", 1)
    assert user_code.look_up(path, "now")()[0].value == 1
    (tmp_path / "one" / "nets.py").write_text("class Net:\n    value = 'changed'\n")
    assert user_code.look_up(path, "now")()[0].value == "changed"


@pytest.mark.parametrize("source", ["import sys\nsys.path.clear()\n", "import nets\nraise SystemExit(3)\n"])
def test_code_that_ends_or_takes_the_path_away(tmp_path: Path, source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    path = project(tmp_path / "one", 1)
    path.write_text(source)
    with pytest.raises(InputError, match=r"has no model|failed: SystemExit: 3"):
        user_code.look_up(path, "model")
    assert "nets" not in sys.modules


def test_a_module_that_makes_up_what_it_is_asked_for_stops_nothing(tmp_path: Path) -> None:
    path = tmp_path / "own.py"
    path.write_text(
        "import sys\nfrom types import ModuleType\n\n\nclass Odd(ModuleType):\n"
        "    def __getattr__(self, name):\n        return 3\n\n\n"  # as torch.classes, which is imported with torch
        "def make():\n    sys.modules['odd_and_late'] = Odd('odd_and_late')\n    return 1\n"
    )
    make = user_code.look_up(path, "make")
    with user_code.neighbours(path):
        assert make() == 1
    assert sys.modules.pop("odd_and_late")
