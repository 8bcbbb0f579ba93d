"""Malformed files out of sound ones, the same for the same chance."""

from __future__ import annotations

import gzip
import json
import random
import zlib
from pathlib import Path
from typing import Any

import h5py
import numpy as np

ODD = (
    None,
    True,
    -1,
    0,
    1e308,
    10**30,
    "",
    "../../etc/passwd",
    "\x00",
    "ß" * 300,
    [],
    {},
    [[]],
    {"a": None},
    "NaN",
    float("nan"),
)


def mutated(content: bytes, chance: random.Random) -> bytes:
    """Cut short, flipped, overwritten, doubled or emptied somewhere; JSON by another value in it, gzip within."""
    if content[:1] == b"{" and chance.random() < 0.6:
        try:
            return _other_value(content, chance)
        except (ValueError, IndexError, RecursionError):  # it is no sound JSON any more
            pass
    if content[:2] == b"\x1f\x8b" and chance.random() < 0.6:
        try:
            return gzip.compress(mutated(gzip.decompress(content), chance), 1, mtime=0)
        except (OSError, EOFError, zlib.error, ValueError):  # it is no sound gzip any more
            pass
    n, at = len(content), chance.randrange(len(content))
    kind = chance.randrange(6)
    if kind == 0:
        return content[:at]
    if kind == 1:
        return content[:at] + bytes([content[at] ^ (1 << chance.randrange(8))]) + content[at + 1 :]
    if kind == 2:
        length = min(n - at, chance.choice((1, 2, 4, 8, 64)))
        return content[:at] + chance.choice((b"\xff", b"\x00", b"\x7f", b"9")) * length + content[at + length :]
    if kind == 3:
        return content[:at] + content[at : at + 64] + content[at:]
    if kind == 4:
        return content[:at] + content[at + chance.choice((1, 8, 512)) :]
    scattered = bytearray(content)
    for place in sorted(set(chance.choices(range(n), k=20))):
        scattered[place] = chance.randrange(256)
    return bytes(scattered)


def _other_value(content: bytes, chance: random.Random) -> bytes:
    """One value somewhere in a JSON document (or in its first line) replaced by an odd one, renamed or removed."""
    lines = content.splitlines()
    whole = len(lines) > 1 and not lines[1].startswith(b"{")
    document: Any = json.loads(content if whole else lines[0])
    place = document
    while True:
        key = chance.choice(list(place) if isinstance(place, dict) else range(len(place)))
        if not isinstance(place[key], dict | list) or not place[key] or chance.random() < 0.3:
            break
        place = place[key]
    if isinstance(place, dict) and chance.random() < 0.2:
        place[chance.choice(("surprise", f"{key} "))] = place.pop(key)
    elif chance.random() < 0.1:
        del place[key]
    else:
        place[key] = chance.choice(ODD)
    head = json.dumps(document).encode()
    return head if whole else b"\n".join([head, *lines[1:]])


def alter(path: Path, chance: random.Random) -> str:
    """Put something else into a file, which stays JSON or HDF5 that can be parsed; what was done, in words."""
    if path.suffix in (".h5", ".h5ad"):
        with h5py.File(path, "r+") as file:
            return _alter(file, chance)
    content = path.read_bytes()
    path.write_bytes(_other_value(content, chance))
    return f"{content[:60]!r} …"


def _alter(file: h5py.File, chance: random.Random) -> str:
    names: list[str] = []
    file.visit(names.append)
    name = chance.choice(["/", *names])
    if file[name].attrs and chance.random() < 0.4:
        key = chance.choice(list(file[name].attrs))
        held = file[name].attrs[key]
        if isinstance(held, str) and held[:1] == "{" and len(held) > 2:
            file[name].attrs[key] = _other_value(held.encode(), chance).decode()
        else:
            file[name].attrs[key] = chance.choice((-1, "x", 1.5, "[]", "null", np.arange(3)))
        return f"{name}, attribute {key}: {file[name].attrs[key]}"
    if name == "/":
        return "nothing"
    if isinstance(file[name], h5py.Group) or chance.random() < 0.2:
        del file[name]
        return f"{name} is gone"
    held = np.asarray(file[name][()])
    n = chance.randrange(11)
    other = (
        held[:-1] if held.ndim else np.zeros(2),
        held[None],
        held.ravel(),
        np.zeros((0, *held.shape[1:]), np.float32),
        np.full(held.shape, np.nan, np.float32),
        np.full(held.shape, b"words"),
        np.full(held.shape, -1),
        np.full(held.shape, 1e30),
        held.T,
        held[..., :-1] if held.ndim else np.ones(1),
        np.repeat(held, 2, axis=0) if held.ndim else np.ones((2, 2)),
    )[n]
    del file[name]
    file[name] = other
    return f"{name}: {other.dtype} {other.shape} for {held.dtype} {held.shape}, kind {n}"
