"""Files that other installed packages ship, found without importing the package."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from latentlab.errors import MissingError


def shipped(package: str, path: str) -> Path:
    """A file of an installed package; a `MissingError` where the package, or the file in it, is not there."""
    spec = find_spec(package)
    folders = list(spec.submodule_search_locations or ()) if spec is not None else []
    for folder in folders:
        if (file := Path(folder) / path).is_file():
            return file
    if folders:
        raise MissingError(f"{package} in {folders[0][:60]} does not ship {path[-60:]}; install another version of it")
    raise MissingError(f"this data set is shipped with {package}, which is not installed; run: pip install {package}")
