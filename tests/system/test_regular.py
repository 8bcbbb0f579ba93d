"""A pipe, a socket or a device is refused in one line, wherever a file may be named."""

import errno
import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from latentlab.analysis.score.arrays import read_arrays
from latentlab.codes.h5ad import load_codes
from latentlab.data import load
from latentlab.errors import InputError, MissingError
from latentlab.models.weights import read_weights
from latentlab.runs.history import read_history
from latentlab.system.files import read_json
from latentlab.system.regular import check_regular, open_regular, read_bytes
from latentlab.system.user_code import split
from latentlab.training.plan import read_plan

FORMS: dict[str, Callable[[Path], object]] = {
    **{f"data{suffix}": load for suffix in (".npy", ".npz", ".h5", ".hdf5", ".zip")},
    **{f"codes{suffix}": read_arrays for suffix in (".npy", ".npz", ".csv", ".h5ad")},
    "run/codes.h5ad": load_codes,
    **{f"weights{suffix}": read_weights for suffix in (".pt", ".safetensors")},
    "history.jsonl": lambda path: read_history(path) and None,
    "config.json": read_json,
    "plan.toml": read_plan,
    "own.py": lambda path: split(f"{path}:data", "data set", "x.py:y"),
    "idx/train-images-idx3-ubyte": lambda path: load(path.parent),
    "idx/train-images-idx3-ubyte.gz": lambda path: load(path.parent),
    "norb/smallnorb-5x01-training-dat.mat": lambda path: load(f"smallnorb:{path.parent}"),
    "cars/one.mat": lambda path: load(f"cars3d:{path.parent}"),
    "mpi3d.npz": lambda path: load(f"mpi3d:{path}"),
    "dsprites.npz": lambda path: load(f"dsprites:{path}"),
    "3dshapes.h5": lambda path: load(f"shapes3d:{path}"),
}


@pytest.fixture(autouse=True)
def no_alarm() -> Iterator[None]:
    yield
    signal.alarm(0)


@pytest.mark.parametrize("form", FORMS)
def test_a_pipe_is_no_file(tmp_path: Path, form: str) -> None:
    path = tmp_path / form
    path.parent.mkdir(exist_ok=True)
    os.mkfifo(path)
    if form.startswith("norb"):
        for what in ("cat", "info"):
            path.with_name(path.name.replace("dat", what)).touch()
    signal.alarm(20)  # ends whoever waits for the pipe
    with pytest.raises(InputError, match=r"is a pipe; expected a regular file|is not a file") as caught:
        FORMS[form](path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("form", [form for form in FORMS if form not in ("own.py", "history.jsonl")])
def test_a_placeholder_of_git_is_named_as_one(tmp_path: Path, form: str) -> None:
    path = tmp_path / form
    path.parent.mkdir(exist_ok=True)
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
    if form.startswith("norb"):
        for what in ("cat", "info"):
            path.with_name(path.name.replace("dat", what)).touch()
    with pytest.raises(
        InputError, match=r"is a placeholder for a file that was not downloaded; fetch it: git lfs pull"
    ):
        FORMS[form](path)


def test_pipes_among_pictures_are_passed_over(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(MissingError, match="holds no images"):
        load(tmp_path)


def test_other_kinds(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(tmp_path / "socket.npy"))
        (tmp_path / "device.npy").symlink_to("/dev/zero")
        os.mkfifo(tmp_path / "pipe")
        (tmp_path / "pipe.npy").symlink_to("pipe")
        for name, kind in (("socket.npy", "a socket"), ("device.npy", "a device"), ("pipe.npy", "a pipe")):
            for read in (open_regular, check_regular, load):
                with pytest.raises(InputError, match=f"is {kind}; expected a regular file"):
                    read(tmp_path / name)
    with pytest.raises(InputError, match="is a folder"):
        open_regular(tmp_path)
    with pytest.raises(MissingError):
        open_regular(tmp_path / "nothing")
    check_regular(tmp_path / "nothing")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc")
def test_what_the_kernel_makes_is_no_data(tmp_path: Path) -> None:
    (tmp_path / "x.csv").symlink_to("/proc/self/status")
    for read in (open_regular, check_regular, load):
        with pytest.raises(InputError, match="is made by the kernel; expected a regular file"):
            read(tmp_path / "x.csv")


def test_files_are_read_to_a_limit(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"12345")
    assert read_bytes(tmp_path / "x", 5) == b"12345"
    with pytest.raises(InputError, match="more than the 4 bytes"):
        read_bytes(tmp_path / "x", 4)


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's refusal is made here: root, who runs tests in containers, may read everything."""
    (tmp_path / "x").touch()

    def refuse(*args: object) -> int:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(InputError, match="check its permissions"):
        open_regular(tmp_path / "x")
