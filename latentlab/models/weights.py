"""Weights from files that someone else made: tensors by name, and nothing that runs.

A ``.pt`` file is a pickle, and a pickle is a program. PyTorch's restricted reader (``weights_only=True``) builds
tensors and plain containers only; all else in such a file is refused, and so are tensors larger than the file itself.
"""

from __future__ import annotations

import re
import struct
import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from latentlab.errors import InputError, MissingError
from latentlab.system.regular import check_regular

LIMIT = 4 << 30
SUFFIXES = (".pt", ".pth", ".bin", ".ckpt")
NAMES = (*SUFFIXES, *(f"{suffix}.tar" for suffix in SUFFIXES), ".tar")  # what PyTorch's own examples call them
TRAINED = ("model_state_dict", "state_dict", "model", "net", "network", "module", "params")
AVERAGED = ("ema_state_dict", "model_ema", "ema_model", "ema", "state_dict_ema", "params_ema", "shadow_params")
DEEPEST = 3
KINDS = {torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.bool, torch.uint8, torch.int8, torch.int16,
         torch.int32, torch.int64, torch.uint16, torch.uint32, torch.uint64}  # fmt: skip
NARROW = {torch.float8_e4m3fn, torch.float8_e4m3fnuz, torch.float8_e5m2, torch.float8_e5m2fnuz}
SLACK = 4096  # a file of one small tensor may be smaller than its declared alignment


def read_weights(path: str | Path, limit: int = LIMIT) -> dict[str, Tensor]:
    """The tensors of a checkpoint by name, on the CPU: ``.safetensors``, or ``.pt``, ``.pth``, ``.bin``, ``.ckpt``.

    The suffix may be in capitals, and ``.pth.tar`` and ``.tar`` are taken for what ``torch.save`` writes. A state dict
    that lies under ``model_state_dict``, ``state_dict``, ``model``, ``net``, … (`TRAINED`) beside other things (an
    optimizer, a step) is found there, also where these lie in one another; a moving average (``ema``, …) is taken where
    there is nothing else. State dicts of parts (``encoder``, ``decoder``) become one. Tensors keep their type, but
    float8 becomes float32. Refused, each with a one-line `InputError`: pickled objects, TorchScript, tar archives,
    files of more than `limit` bytes or that unpack to more, files cut off, tensors larger than what the file stores.
    """
    path = Path(path)
    check_regular(path)
    if not path.is_file():
        raise MissingError(f"{path} does not exist; expected a checkpoint (.safetensors, {', '.join(SUFFIXES)})")
    if path.stat().st_size > limit:
        raise InputError(f"{path} has {path.stat().st_size:,} bytes; expected weights of at most {limit:,}")
    name = path.name.lower()
    if name.endswith(".safetensors"):
        return _plain(_read_safetensors(path), path, limit)
    if name.endswith(NAMES):
        return _plain(_state_dict(_unpickle(path, limit), path), path, limit)
    raise InputError(f"{path} is not a checkpoint; expected a name that ends in .safetensors, {', '.join(SUFFIXES)}")


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
            what = (
                f"contains Python objects besides tensors{_named(message)}, which are never loaded; save "
                "model.state_dict()"
            )
        else:
            what = "is truncated or not a PyTorch checkpoint; expected what torch.save(model.state_dict(), …) writes"
        raise InputError(f"{path} {what}"[-199:]) from error


def _named(message: str) -> str:
    """Which object PyTorch's reader refused, as it says itself."""
    found = re.search(r"GLOBAL ([\w.]+)", message)
    return f" ({found[1][:60]})" if found else ""


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
        raise InputError(
            f"{path} unpacks to {size:,} bytes, more than its size allows; expected what torch.save writes"
        )


def _state_dict(found: Any, path: Path) -> Mapping[Any, Any]:
    for keys in (TRAINED, TRAINED + AVERAGED):
        for candidate in _nested(found, keys, DEEPEST):
            if _holds_tensors(candidate):
                return candidate
    parts = {key: part for key, part in found.items() if _holds_tensors(part)} if isinstance(found, Mapping) else {}
    if parts:
        return {f"{key}.{name}": tensor for key, part in parts.items() for name, tensor in part.items()}
    raise InputError(
        f"{path} does not contain a state dict (tensors by name); save one: torch.save(model.state_dict(), …)"
    )


def _holds_tensors(found: Any) -> bool:
    """Whether this is a state dict: tensors by name, and nothing else."""
    return isinstance(found, Mapping) and bool(found) and all(isinstance(value, Tensor) for value in found.values())


def _nested(found: Any, keys: Sequence[str], depth: int) -> Iterator[Mapping[Any, Any]]:
    """A mapping and those that lie in it under such keys, the outermost first."""
    if isinstance(found, Mapping):
        yield found
        for key in keys if depth else ():
            yield from _nested(found.get(key), keys, depth - 1)


def _plain(found: Mapping[Any, Any], path: Path, limit: int) -> dict[str, Tensor]:
    """Dense tensors of their own, each at most as large as the file: a view may claim any size."""
    stored, total = path.stat().st_size + SLACK, 0
    for name, tensor in found.items():
        dense = tensor.layout == torch.strided and tensor.dtype in KINDS | NARROW
        if not isinstance(name, str) or not dense or tensor.device.type != "cpu":
            raise InputError(f"{path}: {str(name)[:60]} is not a named dense numeric tensor; save a state dict")
        size = tensor.numel() * tensor.element_size()
        total += size
        if size > stored or total > limit:
            raise InputError(f"{path}: {name[:60]} claims {size:,} bytes, more than the file contains; save it again")
    return {name: _usual(tensor.detach()) for name, tensor in found.items()}


def _usual(tensor: Tensor) -> Tensor:
    """The tensor in memory of its own; float8, which hardly anything computes with, as float32 of the same values."""
    return (tensor.float() if tensor.dtype in NARROW else tensor).clone(memory_format=torch.contiguous_format)
