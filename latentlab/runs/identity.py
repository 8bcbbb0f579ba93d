"""Which training a file belongs to: weights, training state and history name the settings that they were made with.

Equal settings leave equal bytes, so their hash tells one training from another, and a random number would not be
repeated. Where data lie and what computes do not count: a run may be moved, and resumed on another machine. How often
it is logged and saved does not either, for the weights are the same.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from latentlab.errors import InputError
from latentlab.runs.config import FORMAT
from latentlab.runs.history import first_entry, safetensors_metadata
from latentlab.system.files import read_record
from latentlab.system.stamps import remembered

LABELLED = ("history.jsonl", "training.safetensors", "model.safetensors")  # the files that name their training
TRAINING = "training"  # the key under which a file names its training
# Where data lie, what computes, and how often it is written down: none of it tells one training from another.
BESIDE = ("data", "hardware", "log_every", "checkpoint_every")
HEADER = struct.Struct("<Q")


@remembered
def identity(config: Path) -> str:
    """The SHA-256 of the settings in a ``config.json`` that tell one training from another."""
    return identity_of(read_record(config, FORMAT))


def identity_of(settings: Mapping[str, Any]) -> str:
    """The SHA-256 of settings, as `identity` has them.

    >>> identity_of({"seed": 1, "data": "a.npz"}) == identity_of({"data": "b.npz", "seed": 1})
    True
    """
    counted = {key: value for key, value in settings.items() if key not in BESIDE}
    return hashlib.sha256(json.dumps(counted, sort_keys=True).encode()).hexdigest()


def labelled(tensors: bytes, step: int, training: str) -> bytes:
    """The bytes of a safetensors file, to name its step and training, if that is known, in this order.

    The library writes several names in no fixed order, and equal runs must leave equal bytes.
    """
    (length,) = HEADER.unpack_from(tensors)
    start = HEADER.size + length
    header = json.loads(tensors[HEADER.size : start])
    named = {"__metadata__": {"step": str(step)} | ({TRAINING: training} if training else {}), **header}
    text = json.dumps(named, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return b"".join((HEADER.pack(len(text)), text, memoryview(tensors)[start:]))


def training_of(path: Path) -> str:
    """The training that weights, a training state or a history name; empty where they name none, as older ones."""
    if path.suffix == ".safetensors":
        return safetensors_metadata(path).get(TRAINING, "")
    return str(first_entry(path).get(TRAINING, ""))


def is_foreign(path: Path) -> bool:
    """Whether a file of a run says that it was made with other settings than the ``config.json`` beside it has."""
    return training_of(path) not in ("", identity(path.with_name("config.json")))


def check_own(path: Path) -> None:
    """Raise an `InputError` where a file of a run belongs to another training than its ``config.json``."""
    if is_foreign(path):
        raise InputError(f"{path} belongs to another training than the config.json beside it; restore it or retrain")
