"""A stranger's file is read in a process apart: what comes back is the same, and what goes wrong there stays there."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from toy import write_run

from latentlab.codes.codes import Codes
from latentlab.codes.h5ad import load_codes, read_provenance, read_summary, save_codes
from latentlab.data.dataset import Factor
from latentlab.errors import InputError, MissingError
from latentlab.runs import doctor
from latentlab.system import frames, quarantine
from latentlab.system.confinement import CALLS
from latentlab.system.limits import memory
from latentlab.system.quarantine import apart, strangers

HELPERS = (Path(__file__).parent, Path(__file__).parents[1] / "helpers")
ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="seccomp is Linux's")


# What readers may try: these run in the process apart, which imports them by the name of this module.


@apart()
def crashes(path: Path) -> None:
    ctypes.string_at(0)


@apart(seconds=1)
def hangs(path: Path) -> None:
    while True:
        time.sleep(0.01)


@apart(seconds=1)
def waits(path: Path) -> None:
    path.open("rb").read()


@apart()
def ends(path: Path) -> None:
    os._exit(3)


@apart()
def devours(path: Path) -> None:
    np.empty(memory() // 2 + 1, np.uint8)


@apart()
def raises(path: Path) -> None:
    raise MissingError(f"{path} is not there")


@apart()
def stumbles(path: Path) -> None:
    raise KeyError("x")


@apart()
def prints(path: Path) -> str:
    print("this is no answer", flush=True)
    return "answer"


@apart()
def tries(path: Path) -> dict[str, str]:
    def write() -> None:
        (path / "new").write_text("x")

    def fill() -> None:
        with (path / "old").open("r+b") as file:
            file.write(b"x")

    def connect() -> None:
        socket.create_connection(("127.0.0.1", 9), timeout=1)

    said = {}
    attempts = {
        "write": write, "fill": fill, "remove": lambda: (path / "old").unlink(),
        "rename": lambda: (path / "old").rename(path / "other"), "make": lambda: (path / "folder").mkdir(),
        "link": lambda: (path / "link").symlink_to("old"), "shrink": lambda: os.truncate(path / "old", 1),
        "mode": lambda: (path / "old").chmod(0o777), "connect": connect, "pair": socket.socketpair,
        "run": lambda: subprocess.run(["true"], check=True), "fork": os.fork, "kill": lambda: os.kill(os.getppid(), 0),
    }  # fmt: skip
    for name, attempt in attempts.items():
        try:
            attempt()
            said[name] = "done"
        except OSError as error:
            said[name] = type(error).__name__
    return said


@apart()
def environment(path: Path) -> dict[str, str]:
    return dict(os.environ)


@apart()
def process(path: Path) -> int:
    return os.getpid()


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """This module is found there under the name that it has here."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    quarantine._READER.end()


def refused(read: object, path: Path) -> str:
    with strangers(), pytest.raises(InputError) as caught:
        read(path)  # type: ignore[operator]
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) <= 200
    return str(caught.value)


def test_it_runs_here_unless_the_file_is_a_strangers(tmp_path: Path) -> None:
    assert process(tmp_path) == os.getpid()
    with strangers():
        first, second = process(tmp_path), process(tmp_path)
    assert first == second != os.getpid()
    assert process(tmp_path) == os.getpid()


@pytest.mark.parametrize("variable", [quarantine.READ_ONLY, quarantine.APART])
def test_it_runs_apart_where_others_look_or_the_user_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "1")
    assert process(tmp_path) != os.getpid()


@pytest.mark.parametrize(
    ("read", "why"),
    [
        (crashes, "ended the process that read it (signal 11)"), (ends, "(status 3)"),
        (hangs, "was not read within 1 seconds"), (devours, "of memory to read"), (raises, "is not there"),
        (stumbles, "cannot be read (KeyError)"),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_one_line_that_names_the_file(tmp_path: Path, read: object, why: str) -> None:
    said = refused(read, tmp_path / "file.h5")
    assert why in said
    assert "file.h5" in said
    with strangers():
        assert prints(tmp_path) == "answer"  # and the next file is read


def test_kinds_of_errors_are_kept(tmp_path: Path) -> None:
    with strangers(), pytest.raises(MissingError):
        raises(tmp_path)


@ON_LINUX
def test_it_writes_nothing_connects_nowhere_and_starts_nothing(tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(b"content")
    with strangers():
        said = tries(tmp_path)
    assert set(said.values()) == {"PermissionError"}, said
    assert [each.name for each in tmp_path.iterdir()] == ["old"]
    assert (tmp_path / "old").read_bytes() == b"content"


def test_every_call_has_a_number_on_each_processor() -> None:
    for calls in CALLS.values():
        assert len(set(calls.refused)) == len(calls.refused) > 40
        assert not set(calls.refused) & {calls.clone, *calls.opens}


def test_secrets_of_the_environment_are_not_handed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_TOKEN", "s3cr3t")
    with strangers():
        assert "s3cr3t" not in environment(tmp_path).values()


def test_only_what_is_marked_is_called(tmp_path: Path) -> None:
    question = {"target": "os:getcwd", "seconds": 5, "arguments": (tmp_path,), "options": {}}
    with pytest.raises(InputError, match="not marked"):
        quarantine._READER.ask(question, ())


def test_it_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    code = "import sys; from pathlib import Path; from test_quarantine import process, strangers\n"
    code += "with strangers(): print(process(Path('.')), flush=True)\n"
    code += "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, HELPERS))}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert done.returncode == -signal.SIGKILL
    for _ in range(100):
        if not Path(f"/proc/{int(done.stdout)}").exists():
            return
        time.sleep(0.1)
    pytest.fail("it is still there")


def test_it_ends_although_it_waits_where_nobody_is_left_to_end_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x")
    program = (
        f"import sys; sys.path[:0] = {list(map(str, HELPERS))!r}; import os, signal, threading\n"
        "from test_quarantine import process, waits; from latentlab.system.quarantine import strangers\n"
        "with strangers():\n"
        f"    print(process({str(tmp_path / 'x')!r}), flush=True)\n"
        "    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGKILL)).start()\n"
        f"    waits({str(tmp_path / 'x')!r})\n"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert found.returncode == -signal.SIGKILL, found.stderr
    deadline = time.monotonic() + 30
    while Path(f"/proc/{int(found.stdout)}").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not Path(f"/proc/{int(found.stdout)}").exists()


def test_codes_are_the_same_read_apart(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    made = Codes(
        rng.normal(size=(50, 3)).astype(np.float32),
        rng.uniform(size=(50, 3)).astype(np.float32),
        factors=rng.integers(0, 2, (50, 2)).astype(float),
        specs=(Factor("a", "categorical", ("no", "yes")), Factor("b", "continuous")),
        labels=rng.integers(0, 3, 50),
        provenance={"inputs": {"model": "x"}, "data": "digits"},
    )
    path = tmp_path / "codes.h5ad"
    save_codes(path, made)
    here = load_codes(path), read_provenance(path), read_summary(path)
    with strangers():
        there = load_codes(path), read_provenance(path), read_summary(path)
    for name in ("mean", "variance", "factors", "labels", "row_ids"):
        np.testing.assert_array_equal(getattr(here[0], name), getattr(there[0], name))
        assert getattr(here[0], name).dtype == getattr(there[0], name).dtype
    assert (here[0].specs, here[0].provenance, here[1]) == (there[0].specs, there[0].provenance, there[1])
    assert repr(here[2]) == repr(there[2])
    there[0].mean[0] = 0  # an array of one's own


def test_relative_paths_start_where_one_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b"):
        save_codes(tmp_path / name / "codes.h5ad", Codes(np.zeros((3, 1), np.float32), provenance={"of": name}))
        monkeypatch.chdir(tmp_path / name)
        with strangers():
            assert read_provenance(Path("codes.h5ad")) == {"of": name}


def test_doctor_reads_apart_and_names_the_file_that_crashes_the_reader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = write_run(tmp_path / "run", 4.0, 0)
    expected = doctor.examine(run.path)
    sound = doctor.readers()
    monkeypatch.setattr(doctor, "readers", lambda: {**sound, "codes.h5ad": lambda run: crashes(run.codes_path)})
    wrong = [finding for finding in doctor.examine(run.path) if finding not in expected]
    assert [Path(finding.where).name for finding in wrong] == ["codes.h5ad"]
    assert "ended the process" in wrong[0].found


def test_doctor_opens_no_hdf5_file_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = write_run(tmp_path / "run", 4.0, 0)
    expected = doctor.examine(run.path)
    monkeypatch.setattr("h5py.File", lambda *arguments, **options: pytest.fail("opened in this process"))
    assert doctor.examine(run.path) == expected


def test_data_are_looked_through_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from latentlab import cli
    from latentlab.data import _arrays

    np.savez(tmp_path / "x.npz", images=np.random.default_rng(0).integers(0, 255, (9, 8, 8)).astype(np.uint8))
    monkeypatch.setattr(_arrays, "read_npz", lambda path: pytest.fail("read in this process"))
    assert cli.run(["data", "check", str(tmp_path / "x.npz")]) == 0
    assert cli.run(["data", "check", str(tmp_path / "y.npz")]) == 2


# Values as bytes


def test_values_come_back_as_they_were() -> None:
    value = {"a": [1, 2.5, None, "β", True], 3: (np.arange(6).reshape(2, 3), np.array(["ä", "b"])), "p": Path("x/y")}
    back = frames.unpack(bytearray(frames.pack(value)))
    assert back["a"] == value["a"]
    assert back["p"] == value["p"]
    np.testing.assert_array_equal(back[3][0], np.arange(6).reshape(2, 3))
    assert back[3][1].tolist() == ["ä", "b"]


def tree(text: bytes) -> bytearray:
    return bytearray(len(text).to_bytes(8, "little") + text)


@pytest.mark.parametrize(
    "content",
    [
        bytearray(), bytearray(b"\xff" * 8), tree(b"{"), tree(b"{}"), tree(b'{"array": ["<f8", [4]]}'),
        tree(b'{"array": ["O", [0]]}'), tree(b'{"array": ["<f8", [-1, -8]]}'), tree(b'{"of": "Codes", "held": []}'),
        tree(b'{"array": ["<f8", [1152921504606846976, 16]]}'), tree(b'{"list": 3}'), tree(b"[" * 9999),
        tree(b'{"mapping": [[{"list": []}, 1]]}'), tree(b'{"eval": "1"}'),
    ],
)  # fmt: skip
def test_other_bytes_are_refused(content: bytearray) -> None:
    with pytest.raises(InputError, match="malformed"):
        frames.unpack(content)


def test_objects_are_not_sent() -> None:
    for value in (object(), np.array([object()]), {"x": {1, 2}}):
        with pytest.raises(TypeError):
            frames.pack(value)
