"""Texts that name data: read once into an object, whose kind decides whether anything is run, whatever the spelling."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from latentlab.data import Code, Located, Named, Spec, load, open_spec, read_spec
from latentlab.errors import InputError

CANARY = """
import pathlib
pathlib.Path(__file__).with_name("sung").touch()
def f(**options):
    raise SystemExit
"""


@pytest.fixture(scope="module")
def canary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that leaves a mark when it is run, reachable under several names."""
    folder = tmp_path_factory.mktemp("canary")
    (folder / "evil.py").write_text(CANARY)
    (folder / "EVIL.PY").write_text(CANARY)
    (folder / "sub").mkdir()
    (folder / "link.py").symlink_to(folder / "evil.py")
    (folder / "evil.npz").symlink_to(folder / "evil.py")
    (folder / "folder.py:f").mkdir()
    return folder


FILES = ("evil.py", "EVIL.PY", "link.py", "evil.npz", "folder.py", "sub/../evil.py", "evil.py/", "evil.py/.", "mnist")
JOINTS = ("", ":", "::", "/", "//", "/.", ".", "\n", "\r\n", " ", "\t", "\0", "\u2028", "\x85", "a", "=", ",", "\u202e")
TAILS = (
    "f",
    "f/",
    "f:",
    "f:a=1",
    "f:a=1\n",
    "f\n",
    " f",
    "f ",
    "ｆ",
    "f:a=1,b=2",
    "f:a=1:b=2",
    "f,a=1",
    "a=1",
    "path=x",
)


def spellings() -> st.SearchStrategy[str]:
    """Ways to write ``evil.py:f``: starts, joints, tails and options, put together at random."""
    starts = st.sampled_from(
        ["", "./", ".//", "{folder}/", "{folder}//", "~/", "mnist:", "dsprites:", " ", "\n", "file://"]
    )
    words = [
        starts,
        st.sampled_from(FILES),
        st.sampled_from(JOINTS),
        st.sampled_from((":", "")),
        st.sampled_from(TAILS),
    ]
    return st.tuples(*words, st.sampled_from(JOINTS)).map("".join)


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=spellings(), again=st.booleans())
def test_no_spelling_runs_code_unless_it_may(canary: Path, text: str, again: bool) -> None:
    text, mark = text.replace("{folder}", str(canary)), canary / "sung"
    try:
        spec = read_spec(text)
        spec = Spec.from_json(json.loads(json.dumps(spec.to_json()))) if again else spec
        for each in (spec, spec.at(canary), spec.at(canary).resolved(), read_spec(str(spec)).at(canary)):
            with pytest.raises(InputError):
                open_spec(each)
    except InputError:
        pass
    assert not mark.exists(), f"{text!r} was run"


@settings(max_examples=300, deadline=None)
@given(text=spellings() | st.text(max_size=20))
@example(text="evil.py:path=x")
def test_the_kind_of_a_text_is_the_kind_of_what_it_becomes(text: str) -> None:
    try:
        spec = read_spec(text.replace("{folder}", "/x"))
    except InputError:
        return
    assert type(read_spec(str(spec))) is type(spec)
    assert type(spec) in (Named, Located, Code)
    assert type(spec.at("/a").resolved()) is type(spec)
    assert Spec.from_json(json.loads(json.dumps(spec.to_json()))) == spec


def test_the_canary_sings_for_the_user(canary: Path) -> None:
    with pytest.raises(InputError, match="SystemExit"):
        load(f"{canary}/evil.py:f")
    assert (canary / "sung").exists()
    (canary / "sung").unlink()


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("digits", Named("digits")),
        ("mnist:b/,inverted=1", Named("mnist", {"path": "b/", "inverted": 1})),
        ("dsprites:size=16", Named("dsprites", {"size": 16})),
        ("faces.npz", Located("faces.npz")),
        ("photos/:size=64", Located("photos/", {"size": 64})),
        ("C:/x", Located("C:/x")),
        ("evil.py:f/", Located("evil.py:f/")),
        ("bars.py:bars", Code("bars.py:bars")),
        ("/a/b.py:bars:rows=18,size=2x3", Code("/a/b.py:bars", {"rows": 18, "size": (2, 3)})),
    ],
)
def test_texts_and_what_they_mean(text: str, spec: Spec) -> None:
    assert read_spec(text) == spec
    assert str(spec) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "are not named"),
        (" \n", "are not named"),
        ("a\0b", "holds a zero byte"),
        ("evil.py:f:a=1\n", r"the control character '.n'"),
        ("bars.py:bars:rows", "'rows' is not an option; expected KEY=VALUE"),
        ("photos:size=1,size=2", "'size=2' is given twice"),
        ("dsprites:=3", "is not an option"),
        (3, "given as a int"),
        (None, "given as a NoneType"),
    ],
)
def test_what_names_nothing_is_one_line(text: object, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        load(text)  # type: ignore[arg-type]
    assert len(str(caught.value)) <= 200


def test_a_path_that_holds_a_colon_is_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert read_spec("a:size=3") == Located("a", {"size": 3})
    Path("a:size=3").mkdir()
    assert read_spec("a:size=3") == Located("a:size=3")


def test_a_link_keeps_its_name_and_is_known_for_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "x.npy").touch()
    (tmp_path / "y.npy").symlink_to("x.npy")
    here, there = (read_spec(name).at(tmp_path) for name in ("x.npy", "y.npy"))
    assert (here.head, there.head) == (os.fspath(tmp_path / "x.npy"), os.fspath(tmp_path / "y.npy"))
    assert here.resolved() == there.resolved()


def test_no_shell_is_needed_for_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", os.fspath(tmp_path))
    monkeypatch.chdir(tmp_path)
    whole = os.fspath(tmp_path / "x")
    assert read_spec("mnist:~/x") == Named("mnist", {"path": whole})
    assert read_spec("celeba:path=~/x,size=8") == Named("celeba", {"path": whole, "size": 8})
    assert read_spec("~/x:size=8") == Located(whole, {"size": 8})
    assert read_spec("~/x.py:f") == Code(f"{whole}.py:f")
    (tmp_path / "~").mkdir()
    assert read_spec("~") == Located("~")
    (tmp_path / "~" / "x").mkdir()
    assert read_spec("mnist:~/x") == Named("mnist", {"path": "~/x"})


def test_a_folder_called_like_a_data_set_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    load("digits")
    assert not caplog.text
    Path("digits").mkdir()
    assert len(load("digits")) == 1797
    assert "digits: this is the data set of that name; to read the local path of the same name" in caplog.text
