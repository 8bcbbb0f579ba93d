"""A model built by a file of the user's own: ``FILE.py:NAME``, run only where the user names it."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import torch
from torch import nn

from latentlab.config import Adapter
from latentlab.errors import InputError, MissingError
from latentlab.files import sha256
from latentlab.models._autoencoder import Model


def record(adapter: str | Model) -> Adapter:
    """What a run records of an adapter: its file's name and hash, and what in it makes the model."""
    if not isinstance(adapter, str):
        return Adapter(name=type(adapter).__name__, **abilities(adapter))
    path, name = split(adapter)
    return Adapter(file=path.name, sha256=sha256(path), name=name)


def abilities(model: Model) -> dict[str, bool]:
    """Whether a model encodes and decodes."""
    return {"encodes": getattr(model, "encodes", True), "decodes": getattr(model, "decodes", True)}


def split(adapter: str) -> tuple[Path, str]:
    """``FILE.py:NAME`` as its path and name."""
    file, colon, name = adapter.rpartition(":")
    if not colon or not name.isidentifier() or not file.endswith(".py"):
        raise InputError(f"the adapter is {adapter!r}; expected FILE.py:NAME, as in my_model.py:model")
    path = Path(file)
    if not path.is_file():
        raise MissingError(f"{path} does not exist; expected the Python file that makes the model")
    return path, name


def run_adapter(adapter: str) -> Model:
    """Run the file that the user named and make the model: NAME is a model, or a function or class that makes one."""
    path, name = split(adapter)
    module = _run(path)
    if not hasattr(module, name):
        known = ", ".join(key for key, value in vars(module).items() if callable(value) and not key.startswith("_"))
        raise InputError(f"{path} has no {name}; it has: {known or 'nothing to call'}"[:199])
    found = getattr(module, name)
    if isinstance(found, type) or not isinstance(found, Model):
        found = _call(found, adapter)
    return checked(found, adapter)


def checked(found: Any, where: str) -> Model:
    """`found` where it is a `Model` with weights; an `InputError` otherwise."""
    if isinstance(found, Model) and isinstance(found, nn.Module):
        return found.eval()
    raise InputError(
        f"{where} gave a {type(found).__name__}; expected ll.wrap(encoder=…, decoder=…, latent_dim=…) or a module "
        "with latent_dim, encode and decode"
    )


def _call(found: Any, adapter: str) -> Any:
    if not callable(found):
        return found
    try:
        with torch.random.fork_rng(devices=[]):
            return found()
    except InputError:
        raise
    except Exception as error:  # the user's own code may raise anything
        raise InputError(f"{adapter} failed: {_line(error)}"[:199]) from error


def _run(path: Path) -> Any:
    """The file as a module; for as long as it runs, modules beside it can be imported, as when Python runs it."""
    specification = importlib.util.spec_from_file_location(f"latentlab_adapter_{path.stem}", path)
    if specification is None or specification.loader is None:
        raise InputError(f"{path} cannot be run as Python")
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module  # dataclasses and pickles look their module up there
    beside = str(path.resolve().parent)
    sys.path.insert(0, beside)
    try:
        specification.loader.exec_module(module)
    except Exception as error:
        raise InputError(f"{path} failed: {_line(error)}"[:199]) from error
    finally:
        sys.path.remove(beside)
    return module


def _line(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
