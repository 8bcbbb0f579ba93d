"""Weights from files that someone else made: tensors by name, and nothing that runs.

A ``.pt`` file is a pickle, and a pickle is a program. PyTorch's restricted reader (``weights_only=True``) builds
tensors and plain containers only. Where a file names anything else, such as a trainer's settings, `inert` reads it with
stand-ins that do nothing. Weights that are such objects themselves, and tensors larger than the file, are refused.
"""

from __future__ import annotations

import pickle
import re
import struct
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from latentlab.errors import InputError, MissingError
from latentlab.models import inert
from latentlab.models.inert import KINDS, NARROW, Named
from latentlab.models.state_dicts import find, keys
from latentlab.models.weight_names import AVERAGED, COUNTER, averages, ignored, removed
from latentlab.system.files import read_json
from latentlab.system.regular import check_regular, open_regular

LIMIT = 4 << 30
SUFFIXES = (".pt", ".pth", ".bin", ".ckpt")
NAMES = (*SUFFIXES, *(f"{suffix}.tar" for suffix in SUFFIXES), ".tar")  # what PyTorch's own examples call them
INDEX = ".index.json"  # lists the files that a large state dict is saved in, as Hugging Face does
FORMS = ("model.safetensors", "diffusion_pytorch_model.safetensors", "pytorch_model.bin")  # in Hugging Face's folders
WITHIN = tuple(f"{name}{end}" for name in FORMS for end in ("", INDEX))
HALF = {torch.float16, torch.bfloat16}
SLACK = 4096  # a file of one small tensor may be smaller than its declared alignment
SHOWN = 3


@dataclass(frozen=True)
class Checkpoint:
    """The weights in a file, and the key that they lie under.

    ``unread`` names the Python objects beside them, ``narrow`` the types that have fewer bits than float32, ``others``
    the keys under which other weights lie, ``start`` the prefix that was asked for.
    """

    path: Path
    weights: dict[str, Tensor]
    key: str = ""
    unread: tuple[str, ...] = ()
    narrow: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    start: str | None = None

    def under(self, prefix: str | None) -> Checkpoint:
        """The weights whose names begin with a prefix, without it; all of them for None."""
        if prefix is None:
            return self
        start = f"{prefix.rstrip('.')}."
        chosen = {name.removeprefix(start): w for name, w in self.weights.items() if name.startswith(start)}
        if not chosen:
            known = ", ".join(dict.fromkeys(f"{name.partition('.')[0]}." for name in self.weights))
            raise InputError(
                f"{self.path.name[:60]} has no weights under {start[:40]!r}; names begin with {known}"[:199]
            )
        return replace(self, weights=chosen, start=start)

    def said(self, chosen: Mapping[str, Tensor]) -> str:
        """One line on what was chosen, converted and left unread; empty where there was nothing to choose."""
        prefix, left = removed(self.weights, chosen), ignored(self.weights, chosen)
        parts = [f"took the weights under {self.key!r}"] if self.key else []
        parts += [f"removed the prefix {prefix!r}"] if prefix else []
        parts += [f"converted {' and '.join(self.narrow)} to float32"] if self.narrow else []
        parts += [f"ignored the weights {_some(left)}"] if left else []
        parts += [f"left Python objects unread ({_some(self.unread)})"] if self.unread else []
        ways = self._averages(chosen)
        parts += [f"took no moving average (to take it: {_some(ways)})"] if ways else []
        return f"{self.path.name}: {', '.join(parts)}" if parts else ""

    def _averages(self, chosen: Mapping[str, Tensor]) -> list[str]:
        """The options that choose moving averages that lie beside the weights that were chosen."""
        if AVERAGED.search(self.key) or AVERAGED.search(self.start or ""):
            return []
        keys = [f"--key {key}" for key in self.others if AVERAGED.search(key)]
        taken = {id(tensor) for tensor in chosen.values()}
        names = [name for name, tensor in self.weights.items() if tensor.ndim and id(tensor) not in taken]
        start = "" if self.start is None else self.start
        return keys + [f"--prefix {start}{prefix}" for prefix in averages(names)]


def _some(words: Sequence[str]) -> str:
    return ", ".join([*words[:SHOWN], *(["…"] if len(words) > SHOWN else [])])


def read_weights(path: str | Path, limit: int = LIMIT) -> dict[str, Tensor]:
    """The tensors of a checkpoint by name, as `read_checkpoint` finds them."""
    return read_checkpoint(path, limit=limit).weights


def read_checkpoint(path: str | Path, key: str | None = None, limit: int = LIMIT) -> Checkpoint:
    """The tensors of a checkpoint by name, on the CPU: ``.safetensors``, or ``.pt``, ``.pth``, ``.bin``, ``.ckpt``.

    The suffix may be in capitals, and ``.pth.tar`` and ``.tar`` are taken for what ``torch.save`` writes. A state dict
    in several files is read by its ``….index.json``, and a folder by the file in it that Hugging Face names so. A state
    dict that lies under ``model_state_dict``, ``state_dict``, ``model``, ``net``, … beside other things (an optimizer,
    a step) is found there, also where these lie in one another; a moving average (``ema``, …) is taken where there is
    nothing else; ``key`` takes what lies under that key. State dicts of parts (``encoder``, ``decoder``) become one.
    Tensors keep their type, but float8 becomes float32. Python objects beside the weights stay unread: nothing in a
    file is imported or called. Refused, each with a one-line `InputError`: pickled models, TorchScript, tar archives,
    files of more than `limit` bytes or that unpack to more, files cut off, tensors larger than what the file stores.
    """
    path = _file(Path(path))
    name = path.name.lower()
    if name.endswith(INDEX):
        return _sharded(path, key, limit)
    if path.stat().st_size > limit:
        raise InputError(f"{path} has {path.stat().st_size:,} bytes; expected weights of at most {limit:,}")
    if not name.endswith((".safetensors", *NAMES)):
        raise InputError(
            f"{path} is not a checkpoint; expected a name that ends in .safetensors, {', '.join(SUFFIXES)}"
        )
    tree, unread = _read_safetensors(path) if name.endswith(".safetensors") else _unpickle(path, limit)
    place = find(tree, path, key)
    if place is None:
        raise InputError(_no_weights(tree, unread, path))
    weights = _plain(place[1], path, limit)
    others = tuple(other for other in keys(tree) if place[0] and other != place[0])
    return Checkpoint(path, weights, place[0], unread, _narrow(place[1]), others)


def _file(path: Path) -> Path:
    """The file with the weights: the path itself, or the one in a folder that is named as Hugging Face names it."""
    if path.is_dir():
        names = [name for name in WITHIN if (path / name).is_file()]
        if not names:
            raise MissingError(f"{path} has no weights; expected one of {', '.join(WITHIN)}, or name the file"[:199])
        path /= names[0]
    check_regular(path)
    if not path.is_file():
        raise MissingError(f"{path} does not exist; expected a checkpoint (.safetensors, {', '.join(SUFFIXES)})")
    return path


def _sharded(path: Path, key: str | None, limit: int) -> Checkpoint:
    """The state dict in the files that an index lists, which lie beside it, each weight from its own."""
    if key is not None:
        raise InputError(f"{path.name[:60]} lists weights without keys, so none is {key[:40]!r}; leave the key out")
    index = read_json(path)
    files = index.get("weight_map") if isinstance(index, dict) else None
    if not isinstance(files, dict) or not files:
        raise InputError(f"{path} has no weight_map; expected the index that is saved with a model in several files")
    weights: dict[str, Tensor] = {}
    narrow: set[str] = set()
    for name in sorted(set(map(str, files.values()))):
        if Path(name).name != name or name.lower().endswith(INDEX):
            raise InputError(f"{path} lists {name[:60]!r}; expected names of files beside it")
        part = read_checkpoint(path.parent / name, limit=limit - sum(w.nbytes for w in weights.values()))
        weights |= {tensor: w for tensor, w in part.weights.items() if files.get(tensor, name) == name}
        narrow |= set(part.narrow)
    if lacking := sorted(files.keys() - weights.keys()):
        raise InputError(f"{path.parent} lacks {lacking[0][:60]}, which {path.name[:60]} lists; copy all files again")
    return Checkpoint(path, weights, "", (), tuple(sorted(narrow)))


def _narrow(weights: Mapping[Any, Any]) -> tuple[str, ...]:
    """The types narrower than float32 of weights, by name."""
    kinds = {tensor.dtype for tensor in weights.values()} & (HALF | NARROW)
    return tuple(sorted(str(kind).removeprefix("torch.") for kind in kinds))


def single(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights with half precision as float32 of the same values; other types as they are."""
    return {name: tensor.float() if tensor.dtype in HALF else tensor for name, tensor in weights.items()}


def _read_safetensors(path: Path) -> tuple[Any, tuple[str, ...]]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return dict(load_file(path)), ()
    except (SafetensorError, ValueError, KeyError, OSError) as error:
        if zipfile.is_zipfile(path):
            raise InputError(f"{path} is an archive, as torch.save writes it; name it ….pt") from error
        raise InputError(f"{path} cannot be read as safetensors ({error})"[:199]) from error


def _unpickle(path: Path, limit: int) -> tuple[Any, tuple[str, ...]]:
    """What a pickle contains, and the names of the objects in it that were left unread."""
    archive = _check_archive(path, limit)
    if not archive and _is_safetensors(path):
        raise InputError(f"{path} is a safetensors file; give it a name that ends in .safetensors")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of old storage classes, and of TorchScript before refusing it
            return torch.load(path, map_location="cpu", weights_only=True), ()
    except MemoryError:
        raise
    except Exception as error:  # a malformed pickle raises nearly anything; no kind of it is ours
        if not archive and not _is_pickle(path):
            raise _refusal(path, "") from error
        if archive and isinstance(error, pickle.UnpicklingError):
            return _read_inert(path)
        raise _refusal(path, str(error)) from error


def _is_safetensors(path: Path) -> bool:
    """Whether a file begins with the length of a header within it, and the header, JSON, as safetensors do."""
    with open_regular(path) as file:
        start = file.read(9)
    return start[8:] == b"{" and 8 + int.from_bytes(start[:8], "little") <= path.stat().st_size


def _is_pickle(path: Path) -> bool:
    """Whether a file begins as pickles do: with the number of their protocol, which only the oldest have not."""
    with open_regular(path) as file:
        return file.read(1) in (pickle.PROTO, pickle.MARK, pickle.EMPTY_DICT)


def _read_inert(path: Path) -> tuple[Any, tuple[str, ...]]:
    try:
        return inert.read(path)
    except MemoryError:
        raise
    except Exception as error:  # as above
        raise _refusal(path, "") from error


def _refusal(path: Path, message: str) -> InputError:
    """What to say of a file, by what PyTorch's reader said of it."""
    if "GLOBAL" in message or "weights_only" in message or "TorchScript" in message:
        found = re.search(r"GLOBAL ([\w.]+)", message)
        return InputError(_objects(path, found[1] if found else ""))
    what = "is truncated or not a PyTorch checkpoint; expected what torch.save(model.state_dict(), …) writes"
    return InputError(f"{path} {what}"[-199:])


def _objects(path: Path, name: str) -> str:
    named = f" ({name[:60]})" if name else ""
    what = f"contains Python objects besides tensors{named}, which are never loaded; save model.state_dict()"
    return f"{path} {what}"[-199:]


def _no_weights(tree: Any, unread: tuple[str, ...], path: Path) -> str:
    """What to say of a file in which no state dict was found: which object is in its place, where one is."""
    if unread:
        values = [tree, *(tree.values() if isinstance(tree, Mapping) else ())]
        objects = [value.path for value in values if isinstance(value, Named) and value.path]
        return _objects(path, (*objects, *unread)[0])
    return f"{path} does not contain a state dict (tensors by name); save one: torch.save(model.state_dict(), …)"


def _check_archive(path: Path, limit: int) -> bool:
    """Whether it is an archive; one that unpacks to more than it has is refused: torch stores records as they are."""
    try:
        if not zipfile.is_zipfile(path):
            return False
        with zipfile.ZipFile(path) as archive:
            size = sum(record.file_size for record in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, struct.error) as error:
        raise InputError(f"{path} is a damaged archive; copy the checkpoint again") from error
    if size > min(limit, path.stat().st_size):
        raise InputError(
            f"{path} unpacks to {size:,} bytes, more than its size allows; expected what torch.save writes"
        )
    return True


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
    return {name: _usual(name, tensor.detach()) for name, tensor in found.items()}


def _usual(name: str, tensor: Tensor) -> Tensor:
    """The tensor in memory of its own; float8, which hardly anything computes with, as float32 of the same values.

    Counters of batch normalisation, which averaging and ``half()`` make fractions, are whole numbers again.
    """
    if name.endswith(COUNTER) and tensor.is_floating_point():
        return tensor.float().nan_to_num().round().long()
    return (tensor.float() if tensor.dtype in NARROW else tensor).clone(memory_format=torch.contiguous_format)
