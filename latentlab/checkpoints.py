"""Weights from files that someone else made: tensors by name, and nothing that runs.

A ``.pt`` file is a pickle, and a pickle is a program. PyTorch's restricted reader (``weights_only=True``) builds
tensors and plain containers only; all else in such a file is refused, and so are tensors larger than the file itself.
"""

from __future__ import annotations

import struct
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from latentlab.errors import InputError, MissingError
from latentlab.regular import check_regular

LIMIT = 4 << 30
SUFFIXES = (".pt", ".pth", ".bin", ".ckpt")
INSIDE = ("model_state_dict", "state_dict", "model")
SLACK = 4096  # a file of one small tensor may be smaller than its declared alignment


def read_weights(path: str | Path, limit: int = LIMIT) -> dict[str, Tensor]:
    """The tensors of a checkpoint by name, on the CPU: ``.safetensors``, or ``.pt``, ``.pth``, ``.bin``, ``.ckpt``.

    A state dict that lies under ``model_state_dict``, ``state_dict`` or ``model`` beside other things (an optimizer, a
    step) is found there. Refused, each with a one-line `InputError`: pickled objects, TorchScript, tar archives, files
    of more than `limit` bytes or that unpack to more, files cut off, tensors larger than what the file stores.
    """
    path = Path(path)
    check_regular(path)
    if not path.is_file():
        raise MissingError(f"{path} does not exist; expected a checkpoint (.safetensors, {', '.join(SUFFIXES)})")
    if path.stat().st_size > limit:
        raise InputError(f"{path} has {path.stat().st_size:,} bytes; expected weights of at most {limit:,}")
    if path.suffix == ".safetensors":
        return _plain(_read_safetensors(path), path, limit)
    if path.suffix in SUFFIXES:
        return _plain(_state_dict(_unpickle(path, limit), path), path, limit)
    raise InputError(f"{path} is no checkpoint; expected a name that ends in .safetensors, {', '.join(SUFFIXES)}")


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return dict(load_file(path))
    except (SafetensorError, ValueError, KeyError, OSError) as error:
        raise InputError(f"{path} cannot be read as safetensors ({error})"[:199]) from error


def _unpickle(path: Path, limit: int) -> Any:
    _check_archive(path, limit)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of old storage classes, and of TorchScript before refusing it
            return torch.load(path, map_location="cpu", weights_only=True)
    except MemoryError:
        raise
    except Exception as error:  # a malformed pickle raises nearly anything; no kind of it is ours
        message = str(error)
        if "GLOBAL" in message or "weights_only" in message or "TorchScript" in message:
            what = "holds Python objects beside tensors, which are never loaded; save model.state_dict() alone"
        else:
            what = "is cut off or no PyTorch checkpoint; expected what torch.save(model.state_dict(), …) writes"
        raise InputError(f"{path} {what}"[-199:]) from error


def _check_archive(path: Path, limit: int) -> None:
    """Refuse an archive that unpacks to more than it has: torch stores records as they are."""
    try:
        if not zipfile.is_zipfile(path):
            return
        with zipfile.ZipFile(path) as archive:
            size = sum(record.file_size for record in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, struct.error) as error:
        raise InputError(f"{path} is a damaged archive; copy the checkpoint again") from error
    if size > min(limit, path.stat().st_size):
        raise InputError(f"{path} unpacks to {size:,} bytes, more than it has; expected what torch.save writes")


def _state_dict(found: Any, path: Path) -> Mapping[Any, Any]:
    for candidate in (found, *(found.get(key) for key in INSIDE if isinstance(found, Mapping))):
        if isinstance(candidate, Mapping) and candidate and all(isinstance(v, Tensor) for v in candidate.values()):
            return candidate
    raise InputError(f"{path} holds no state dict (tensors by name); save one: torch.save(model.state_dict(), …)")


def _plain(found: Mapping[Any, Any], path: Path, limit: int) -> dict[str, Tensor]:
    """Dense tensors of their own, each at most as large as the file: a view may claim any size."""
    stored, total = path.stat().st_size + SLACK, 0
    for name, tensor in found.items():
        dense = tensor.layout == torch.strided and not tensor.is_quantized and not tensor.is_complex()
        if not isinstance(name, str) or not dense or tensor.device.type != "cpu":
            raise InputError(f"{path}: {str(name)[:60]} is no dense tensor of numbers with a name; save a state dict")
        size = tensor.numel() * tensor.element_size()
        total += size
        if size > stored or total > limit:
            raise InputError(f"{path}: {name[:60]} claims {size:,} bytes, more than the file holds; save it anew")
    return {name: tensor.detach().clone().contiguous() for name, tensor in found.items()}
