"""A model built by a file of the user's own: ``FILE.py:NAME``, run only where the user names it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from latentlab.errors import InputError
from latentlab.models.autoencoder import Model
from latentlab.runs.config import Adapter
from latentlab.system import user_code
from latentlab.system.files import sha256


def record(adapter: str | Model) -> Adapter:
    """What a run records of an adapter: its file's name and hash, those of what it imported, what makes the model."""
    if not isinstance(adapter, str):
        return Adapter(name=type(adapter).__name__, **abilities(adapter))
    path, name = split(adapter)
    return Adapter(file=path.name, sha256=sha256(path), name=name, modules=user_code.sources(path))


def abilities(model: Model) -> dict[str, bool]:
    """Whether a model encodes and decodes."""
    return {"encodes": getattr(model, "encodes", True), "decodes": getattr(model, "decodes", True)}


def split(adapter: str) -> tuple[Path, str]:
    """``FILE.py:NAME`` as its path and name."""
    return user_code.split(adapter, "adapter", "my_model.py:model")


def run_adapter(adapter: str) -> Model:
    """Run the file that the user named and make the model: NAME is a model, or a function or class that makes one."""
    path, name = split(adapter)
    found = user_code.look_up(path, name)
    if isinstance(found, type) or not isinstance(found, Model):
        with user_code.neighbours(path):
            found = _call(found, adapter)
    return checked(found, adapter)


def checked(found: Any, where: str) -> Model:
    """`found` where it is a `Model` with weights; an `InputError` otherwise."""
    if isinstance(found, Model) and isinstance(found, nn.Module):
        return found.eval()
    raise InputError(
        f"{where} returned a {type(found).__name__}; expected ll.wrap(encoder=…, decoder=…, latent_dim=…) or a module "
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
    except (Exception, SystemExit) as error:  # the user's own code may raise anything, or end the program
        raise user_code.failure(adapter, error) from error
