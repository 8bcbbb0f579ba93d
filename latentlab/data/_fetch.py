"""Published data sets for users who are online: downloaded from their own sites and checked against known checksums.

SHA-256 and sizes are those that TensorFlow Datasets records; the MD5 of dSprites' ``.npz`` is the one that eight
independent projects check it against (no SHA-256 of it is published).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from latentlab.errors import InputError, LatentlabError
from latentlab.system import registry
from latentlab.system.files import publish
from latentlab.system.progress import Progress, silent

TIMEOUT = 30  # seconds without a byte
BLOCK = 1 << 18


class Remote(NamedTuple):
    """A published file.

    Parameters
    ----------
    name : str
        Its name below the data set's address.
    size : int
        At most how many bytes it has.
    algorithm : str
        What makes its checksum: ``sha256`` or ``md5``.
    digest : str
        The checksum; empty where none is known.
    """

    name: str
    size: int
    algorithm: str
    digest: str


class Source(NamedTuple):
    """Where the files of a data set are published."""

    base: str
    files: tuple[Remote, ...]


def _idx(base: str, *files: tuple[int, str]) -> Source:
    names = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
    return Source(base, tuple(Remote(f"{n}-ubyte.gz", s, "sha256", d) for n, (s, d) in zip(names, files, strict=True)))


SOURCES = {
    "mnist": _idx(
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
        (9912422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
        (28881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
        (1648877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
        (4542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
    ),
    "fashion-mnist": _idx(
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        (26421880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
        (29515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
        (4422102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
        (5148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
    ),
    "kmnist": _idx(
        "http://codh.rois.ac.jp/kmnist/dataset/kmnist/",
        (18165135, "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4"),
        (29497, "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17"),
        (3041136, "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5"),
        (5120, "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c"),
    ),
    "dsprites": Source(
        "https://github.com/google-deepmind/dsprites-dataset/raw/master/",
        (
            Remote(
                "dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz",
                64 << 20,
                "md5",
                "7da33b31b13a06f4b04a70402ce90c2e",
            ),
        ),
    ),
}


def fetch(name: str, folder: str | Path, url_base: str | None = None, progress: Progress = silent) -> Path:
    """Download a published data set.

    Parameters
    ----------
    name : str
        Which: ``mnist``, ``fashion-mnist``, ``kmnist`` or ``dsprites``.
    folder : str or Path
        Where the files go. Those that are already there and whole are kept.
    url_base : str, optional
        The address of a mirror with the same files.
    progress : callable
        Called with bytes done and bytes in all.

    Returns
    -------
    Path
        The path to give to `load`: the folder, or the file where there is one alone.

    Raises
    ------
    InputError
        For an unknown name or address.
    LatentlabError
        Where the site cannot be reached or sends something else.

    Notes
    -----
    Each file is checked against its checksum before it gets its name, so an interrupted download leaves nothing behind.
    """
    source = SOURCES[registry.choose(name, SOURCES, what="data set to fetch")]
    folder = Path(folder)
    fetch_files(url_base or source.base, source.files, folder, progress)
    return folder if len(source.files) > 1 else folder / source.files[0].name


def fetch_files(base: str, files: Sequence[Remote], folder: Path, progress: Progress = silent) -> None:
    """Download the files that are not in a folder yet, or not whole.

    Parameters
    ----------
    base : str
        The web address below which they are.
    files : sequence of Remote
        Which files.
    folder : Path
        Where they go.
    progress : callable
        Called with bytes done and bytes in all.

    Raises
    ------
    InputError
        For an address that is not http:// or https://.
    LatentlabError
        Where the site cannot be reached or sends something else.
    """
    if not base.startswith(("https://", "http://")):
        raise InputError(f"{base[:80]} is not a web address; expected http:// or https://")
    total = sum(file.size for file in files)
    done = 0
    for file in files:
        if not _whole(folder / file.name, file):
            _download(f"{base.rstrip('/')}/{file.name}", folder / file.name, file, _after(progress, done, total))
        done += file.size
        progress(done, total)


def _after(progress: Progress, before: int, total: int) -> Callable[[int], Any]:
    return lambda received: progress(before + received, total)


def _whole(path: Path, file: Remote) -> bool:
    if not path.is_file() or path.stat().st_size > file.size:
        return False
    if not file.digest:
        return True
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, lambda: _hash(file)).hexdigest() == file.digest


def _hash(file: Remote) -> Any:
    return hashlib.new(file.algorithm, usedforsecurity=False)


def _download(url: str, path: Path, file: Remote, progress: Callable[[int], Any]) -> None:
    import http.client
    import urllib.error
    import urllib.request

    digest, received = _hash(file), 0
    by_hand = f"download it by hand into {path.parent}"
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT) as response, publish(path) as temporary:
            with temporary.open("wb") as out:
                while block := response.read(BLOCK):
                    received += len(block)
                    if received > file.size:
                        raise LatentlabError(f"{url} sends more than the {file.size:,} bytes expected; {by_hand}")
                    digest.update(block)
                    out.write(block)
                    progress(received)
            if file.digest and digest.hexdigest() != file.digest:
                raise LatentlabError(
                    f"{url} sent {received:,} bytes of another {file.algorithm}; try again, or {by_hand}"
                )
    except urllib.error.HTTPError as error:
        error.close()
        raise LatentlabError(f"{url} answers {error.code}; {by_hand}") from error
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
        reason = str(getattr(error, "reason", error))[:40] or type(error).__name__
        raise LatentlabError(f"{url} cannot be reached ({reason}); {by_hand}") from error
