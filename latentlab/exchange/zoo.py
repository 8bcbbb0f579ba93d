"""Published checkpoints for users who are online, by name: where they are, their licence and their checksums."""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from latentlab.data import Remote, fetch_files
from latentlab.errors import InputError
from latentlab.system.files import sha256
from latentlab.system.progress import Progress, silent

REGISTRY = Path(__file__).with_name("zoo.toml")
PREFIX = "zoo:"
HOME = "zoo"  # the folder below the current one that checkpoints named as zoo:NAME are downloaded to


@dataclass(frozen=True)
class Published:
    """A published checkpoint: the format that imports it, its licence, its project and its files below an address."""

    name: str
    format: str
    licence: str
    source: str
    address: str
    files: tuple[Remote, ...]

    @property
    def verified(self) -> bool:
        """Whether the SHA-256 of every file is known."""
        return all(file.digest for file in self.files)


@cache
def published() -> dict[str, Published]:
    """Every published checkpoint that is known, by name."""
    found = {}
    for group in tomllib.loads(REGISTRY.read_text(encoding="utf-8")).values():
        for name in group["names"]:
            digests = group.get("sha256", {}).get(name, {})
            files = tuple(Remote(f, size, "sha256", digests.get(f, "")) for f, size in group["files"].items())
            found[name] = Published(
                name, group["format"], group["licence"], group["source"], f"{group['address']}/{name}", files
            )
    return found


def choose(name: str) -> Published:
    """The published checkpoint of that name; case and ``-`` or ``_`` do not matter."""
    known = {_plain(each): entry for each, entry in published().items()}
    if _plain(name) in known:
        return known[_plain(name)]
    near = [known[each].name for each in difflib.get_close_matches(_plain(name), known, n=3)]
    hint = f"did you mean {', '.join(near)}? " if near else ""
    raise InputError(f"no published checkpoint is called {name[:40]!r}; {hint}list them: latentlab zoo ls")


def _plain(name: str) -> str:
    return name.replace("_", "-").casefold()


def fetch(name: str, folder: str | Path, address: str | None = None, progress: Progress = silent) -> dict[str, str]:
    """Download a published checkpoint into `folder`; the SHA-256 of each of its files that is not known beforehand.

    Files that are there already are kept, those with a known checksum only where they have it. ``address`` takes the
    same files from a mirror. ``progress`` is called with bytes done and bytes in all. Raises `InputError` for an
    unknown name, `LatentlabError` where the site cannot be reached or sends something else.
    """
    entry = choose(name)
    fetch_files(address or entry.address, entry.files, Path(folder), progress)
    return {file.name: sha256(Path(folder) / file.name) for file in entry.files if not file.digest}


def local(path: str | Path, kind: str) -> Path:
    """The path itself; for ``zoo:NAME`` the folder ``zoo/NAME``, downloaded where it is not there yet."""
    if not str(path).startswith(PREFIX):
        return Path(path)
    entry = choose(str(path).removeprefix(PREFIX))
    if entry.format != kind.replace("_", "-"):
        raise InputError(
            f"{entry.name} is a checkpoint of {entry.format}; import it: latentlab import {entry.format} …"
        )
    folder = Path(HOME) / entry.name
    fetch(entry.name, folder)
    return folder
