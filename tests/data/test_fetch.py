"""Downloads, served from loopback."""

import functools
import gzip
import hashlib
import http.server
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from latentlab.data import _fetch, fetch, load
from latentlab.errors import InputError, LatentlabError


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A file server that says nothing and counts what it is asked for."""

    asked: list[str]

    def log_message(self, *_: object) -> None: ...

    def do_GET(self) -> None:
        Quiet.asked.append(self.path)
        super().do_GET()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The address of a server and the folder that it serves."""
    folder = tmp_path / "site"
    folder.mkdir()
    Quiet.asked = []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/", folder
        server.shutdown()
        thread.join()


def idx(array: np.ndarray) -> bytes:
    content = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()
    return gzip.compress(content, mtime=0)


@pytest.fixture
def published(site: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """A small MNIST on that server, entered in the table of sources."""
    contents = {
        "train-images-idx3-ubyte.gz": idx(np.full((5, 4, 4), 9, dtype=np.uint8)),
        "t10k-images-idx3-ubyte.gz": idx(np.full((2, 4, 4), 7, dtype=np.uint8)),
    }
    for name, content in contents.items():
        (site[1] / name).write_bytes(content)
    files = tuple(
        _fetch.Remote(name, len(content), "sha256", hashlib.sha256(content).hexdigest())
        for name, content in contents.items()
    )
    monkeypatch.setitem(_fetch.SOURCES, "mnist", _fetch.Source("http://127.0.0.1:1/", files))
    return contents


def test_a_set_is_fetched_and_loads(site: tuple[str, Path], published: dict[str, bytes], tmp_path: Path) -> None:
    seen: list[tuple[float, float]] = []
    folder = fetch("mnist", tmp_path / "mnist", site[0], progress=lambda done, total: seen.append((done, total)))
    assert {f.name: f.read_bytes() for f in folder.iterdir()} == published
    assert load(folder).splits == {"train": range(5), "test": range(5, 7)}
    total = sum(map(len, published.values()))
    assert seen[-1] == (total, total)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_whole_files_are_kept_and_damaged_ones_replaced(
    site: tuple[str, Path], published: dict[str, bytes], tmp_path: Path
) -> None:
    folder = fetch("mnist", tmp_path / "mnist", site[0])
    (folder / "train-images-idx3-ubyte.gz").write_bytes(b"damaged")
    Quiet.asked.clear()
    fetch("mnist", folder, site[0])
    assert Quiet.asked == ["/train-images-idx3-ubyte.gz"]
    assert {f.name: f.read_bytes() for f in folder.iterdir()} == published


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize(
    ("content", "message"),
    [(b"x" * 10_000, "sends more than"), (b"something else", "another sha256"), (None, "answers 404")],
)
def test_anything_else_is_refused_and_leaves_nothing(
    site: tuple[str, Path], tmp_path: Path, content: bytes | None, message: str
) -> None:
    file = site[1] / "train-images-idx3-ubyte.gz"
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(LatentlabError, match=message) as caught:
        fetch("mnist", tmp_path / "mnist", site[0])
    assert not isinstance(caught.value, InputError)
    assert "\n" not in str(caught.value)
    assert not [f for f in tmp_path.rglob("*") if f.is_file() and f.parent != site[1]]


@pytest.mark.usefixtures("published")
def test_offline_says_what_to_do(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    with pytest.raises(LatentlabError, match="by hand into") as caught:
        fetch("mnist", tmp_path / "mnist", f"http://127.0.0.1:{port}")
    assert len(str(caught.value).replace(str(tmp_path), "")) < 200


@pytest.mark.usefixtures("published")
def test_a_connection_that_breaks(tmp_path: Path) -> None:
    """A server that promises more than it sends."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 50\r\n\r\nhalf")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(LatentlabError):
            fetch("mnist", tmp_path / "mnist", f"http://127.0.0.1:{server.getsockname()[1]}")
        thread.join()
    assert not list((tmp_path / "mnist").glob("*"))


def test_wrong_names_and_addresses(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="did you mean 'mnist'"):
        fetch("mnst", tmp_path)
    for base in ("file:///etc/", "ftp://host/"):
        with pytest.raises(InputError, match="not a web address"):
            fetch("mnist", tmp_path, base)


def test_the_table_is_well_formed() -> None:
    for source in _fetch.SOURCES.values():
        assert source.base.endswith("/")
        for file in source.files:
            assert len(file.digest) == {"sha256": 64, "md5": 32}[file.algorithm]
            assert 0 < file.size <= 64 << 20
