"""A ``.pt`` archive that names foreign classes, read without any of them: a name in its pickle stays a name.

Trainers save their settings beside the weights, as objects of classes that are not installed here. `read` puts an inert
`Named` in the place of each: nothing is imported or called for a file, and only tensors are made of what it stores.
"""

from __future__ import annotations

import io
import pickle
import pickletools
import sys
import zipfile
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

KINDS = {torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.bool, torch.uint8, torch.int8, torch.int16,
         torch.int32, torch.int64, torch.uint16, torch.uint32, torch.uint64}  # fmt: skip
NARROW = {torch.float8_e4m3fn, torch.float8_e4m3fnuz, torch.float8_e5m2, torch.float8_e5m2fnuz}
STORAGES = {
    "Double": torch.float64, "Float": torch.float32, "Half": torch.float16, "BFloat16": torch.bfloat16,
    "Long": torch.int64, "Int": torch.int32, "Short": torch.int16, "Char": torch.int8, "Byte": torch.uint8,
    "Bool": torch.bool,
}  # fmt: skip
OF_STORAGE = {f"torch.{name}Storage": kind for name, kind in STORAGES.items()}
OF_NAME = {str(kind): kind for kind in KINDS | NARROW}
REBUILD = "torch._utils._rebuild_"
TENSORS = {f"{REBUILD}tensor_v2", f"{REBUILD}tensor_v3"}
PARAMETERS = {f"{REBUILD}parameter", f"{REBUILD}parameter_with_state"}
OF_TYPE = "torch._tensor._rebuild_from_type_v2"
BELOW = 6  # mappings in one another in which tensors are looked for
UNUSED = {"EXT1", "EXT2", "EXT4", "INST", "OBJ", "PERSID", "NEXT_BUFFER", "READONLY_BUFFER"}


class Named(dict[Any, Any]):
    """What a name in a pickle makes: inert, of a class of its own, with the items and arguments that it was given."""

    path = ""
    arguments: tuple[Any, ...]

    def __new__(cls, *arguments: Any, **_: Any) -> Named:
        """An object that keeps its arguments."""
        made = super().__new__(cls)
        made.arguments = arguments
        return made

    def __init__(self, *_: Any, **__: Any) -> None:
        """Take none of the arguments for items."""

    def __call__(self, *_: Any, **__: Any) -> Named:
        """What a call of it would make is not known either."""
        return Named()

    @staticmethod
    def __setstate__(*_: Any) -> None:
        """Leave the state alone."""

    def append(self, _: Any) -> None:
        """Leave an item of a list or a deque alone."""

    def extend(self, _: Iterable[Any]) -> None:
        """Leave items of a list alone."""

    add = append
    __hash__ = object.__hash__  # type: ignore[assignment]
    __eq__ = object.__eq__


class _Reader(pickle.Unpickler):
    """An unpickler in which a name is a class of its own that does nothing; ordered dicts alone are themselves."""

    def __init__(self, content: bytes) -> None:
        super().__init__(io.BytesIO(content))
        self.classes: dict[str, type[Named]] = {}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        path = f"{module}.{name}"
        return self.classes.setdefault(path, type("Named", (Named,), {"path": path}))

    def persistent_load(self, stored: Any) -> Any:
        return stored


def read(path: Path) -> tuple[Any, tuple[str, ...]]:
    """What an archive of ``torch.save`` contains, its tensors in memory; and the names of what stayed inert.

    Raises whatever a damaged archive makes of the reading: a `ValueError`, a `KeyError`, an `UnpicklingError`, …
    """
    with zipfile.ZipFile(path) as archive:
        (main,) = (name for name in archive.namelist() if name.endswith("/data.pkl"))
        root = main.removesuffix("data.pkl")
        order = f"{root}byteorder"
        if order in archive.namelist() and archive.read(order).decode() != sys.byteorder:
            raise ValueError("the archive has another byte order")
        content = archive.read(main)
        _check(content)
        reader = _Reader(content)
        tree = reader.load()
        made = _Tensors(archive, f"{root}data/").resolved(tree, BELOW)
    return made, tuple(sorted((name for name in reader.classes if not _of_tensors(name)), key=_by_interest))


def _check(content: bytes) -> None:
    """Refuse what ``torch.save`` never writes, and places of the memo that would take more memory than the pickle."""
    for operation, argument, _ in pickletools.genops(content):
        far = operation.name in ("PUT", "LONG_BINPUT") and int(argument or 0) > len(content)
        if far or operation.name in UNUSED:
            raise ValueError(f"the pickle has an unexpected {operation.name}")


def _by_interest(name: str) -> tuple[bool, str]:
    """Python's own names last: a reader looks for those of a library."""
    return name.partition(".")[0] in sys.stdlib_module_names | {"__builtin__"}, name


def _of_tensors(name: str) -> bool:
    """Whether a name is one of those that tensors are saved with."""
    storage = name.startswith("torch.") and name.endswith("Storage")
    return (
        storage
        or name in OF_NAME
        or name.startswith(REBUILD)
        or name in (OF_TYPE, "torch.Tensor", "torch.nn.parameter.Parameter")
    )


class _Tensors:
    """Makes tensors of what an archive's pickle says of them."""

    def __init__(self, archive: zipfile.ZipFile, folder: str) -> None:
        self.archive, self.folder = archive, folder
        self.stored: dict[str, bytearray] = {}
        self.done: dict[tuple[int, int], Any] = {}

    def resolved(self, value: Any, depth: int) -> Any:
        """The value with tensors in the place of their descriptions, down to that depth; lists become mappings."""
        if isinstance(value, Named) and value.path in TENSORS | PARAMETERS | {OF_TYPE}:
            return self._tensor(value.path, value.arguments)
        if not isinstance(value, Mapping | list | tuple) or not value or not depth:
            return value
        place = id(value), depth
        if place not in self.done:
            items = value.items() if isinstance(value, Mapping) else enumerate(value)
            self.done[place] = {key: self.resolved(each, depth - 1) for key, each in items}
        return self.done[place]

    def _tensor(self, path: str, arguments: tuple[Any, ...]) -> Tensor:
        if path in PARAMETERS:
            return self._tensor(arguments[0].path, arguments[0].arguments)
        if path == OF_TYPE:
            return self._tensor(arguments[0].path, arguments[2])
        if path not in TENSORS:
            raise ValueError(f"{path} makes no tensor")
        (_, storage, key, *_), offset, size, stride = arguments[:4]
        kind = OF_NAME[arguments[6].path] if path.endswith("v3") else OF_STORAGE[storage.path]
        flat = torch.frombuffer(self._bytes(key), dtype=kind) if self._bytes(key) else torch.empty(0, dtype=kind)
        return flat.as_strided(size, stride, offset)  # it refuses what lies beyond the storage

    def _bytes(self, key: str) -> bytearray:
        if key not in self.stored:
            self.stored[key] = bytearray(self.archive.read(f"{self.folder}{key}"))
        return self.stored[key]
