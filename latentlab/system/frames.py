"""Values as bytes and back, for a reader in another process: numbers, texts, arrays, and the dataclasses that it names.

The bytes are a JSON tree and the arrays that it refers to, one after another. Nothing in them is run, nothing is
unpickled, and no array is larger than the bytes that came: who sent them need not be trusted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from latentlab.errors import InputError

KINDS = "biufUSM"  # of an array's dtype: what is not an object
LENGTH = 8  # bytes in which the tree's length stands


def pack(value: Any) -> bytes:
    """The bytes of a value made of None, numbers, texts, paths, lists, tuples, mappings, arrays and dataclasses."""
    return b"".join(parts(value))


def parts(value: Any) -> list[Any]:
    """The same bytes in pieces, so that arrays are not copied on their way."""
    arrays: list[np.ndarray[Any, Any]] = []
    tree = json.dumps(_flat(value, arrays)).encode()
    return [len(tree).to_bytes(LENGTH, "little"), tree, *(_bytes(array) for array in arrays if array.size)]


def _bytes(array: np.ndarray[Any, Any]) -> memoryview:
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data


def unpack(content: bytearray, classes: Sequence[type[Any]] = ()) -> Any:
    """The value again; of dataclasses only `classes`. Raises an `InputError` where the bytes are anything else.

    >>> unpack(bytearray(pack({"x": np.arange(3), "of": (1, None)})))
    {'x': array([0, 1, 2]), 'of': (1, None)}
    """
    try:
        end = LENGTH + int.from_bytes(content[:LENGTH], "little")
        tree = json.loads(content[LENGTH:end])
        return _Reader(memoryview(content)[end:], {each.__qualname__: each for each in classes}).value(tree)
    except InputError:
        raise
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError, OverflowError) as error:
        raise InputError(f"what a reading process sent is malformed ({type(error).__name__})") from error


def _flat(value: Any, arrays: list[np.ndarray[Any, Any]]) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in KINDS:
            raise TypeError(f"an array of {value.dtype} has no bytes of its own")
        arrays.append(value)
        return {"array": [value.dtype.str, list(value.shape)]}
    if isinstance(value, Path):
        return {"path": str(value)}
    if is_dataclass(value) and not isinstance(value, type):
        held = [[each.name, _flat(getattr(value, each.name), arrays)] for each in fields(value)]
        return {"of": type(value).__qualname__, "held": held}
    if isinstance(value, Mapping):
        return {"mapping": [[_flat(key, arrays), _flat(part, arrays)] for key, part in value.items()]}
    if isinstance(value, list | tuple):
        return {type(value).__name__ if type(value) is list else "tuple": [_flat(part, arrays) for part in value]}
    raise TypeError(f"a {type(value).__name__} cannot be sent")


class _Reader:
    """Builds a value from its tree; arrays are taken from the bytes in the order in which the tree names them."""

    def __init__(self, content: memoryview, classes: Mapping[str, type[Any]]) -> None:
        self.content, self.classes, self.at = content, classes, 0

    def value(self, node: Any) -> Any:
        """The value that a node of the tree stands for."""
        if not isinstance(node, dict):
            return node
        if "of" in node:
            return self.classes[node["of"]](**{name: self.value(part) for name, part in node["held"]})
        ((kind, held),) = node.items()
        if kind == "array":
            return self._array(*held)
        if kind == "path":
            return Path(held)
        if kind == "mapping":
            return {self.value(key): self.value(part) for key, part in held}
        return {"list": list, "tuple": tuple}[kind](self.value(part) for part in held)

    def _array(self, code: str, shape: list[int]) -> np.ndarray[Any, Any]:
        dtype = np.dtype(code)
        count = int(np.prod(shape, dtype=object)) if shape else 1
        size = count * dtype.itemsize
        if dtype.kind not in KINDS or min([0, *shape]) < 0 or size > len(self.content) - self.at:
            raise ValueError("a missing array")
        array = np.frombuffer(self.content, dtype, count, self.at).reshape(shape)
        self.at += size
        return array
