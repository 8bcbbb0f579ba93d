"""What an importer gives, and what importers share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from latentlab.errors import InputError, MissingError
from latentlab.models import build
from latentlab.runs.config import RunConfig
from latentlab.system.files import read_json
from latentlab.system.validation import validate


@dataclass(frozen=True)
class Foreign:
    """A checkpoint of another library in our terms.

    ``weights`` go by the names of the network that ``config`` (fields of `RunConfig`) describes; ``file`` is the file
    they were read from; ``recorded`` is what that library wrote down beside them, kept as it was; ``said`` is a line on
    what of the file was chosen.
    """

    weights: dict[str, Tensor]
    config: dict[str, Any]
    file: Path
    recorded: Mapping[str, Any] = field(default_factory=dict)
    said: str = ""


def folder(path: Path, *names: str) -> None:
    """Check that `path` is a folder with those files."""
    if not path.is_dir():
        raise MissingError(f"{path} is not a folder; expected one with {' and '.join(names)}")
    for name in names:
        if not (path / name).is_file():
            raise MissingError(f"{path} has no {name}; expected a folder with {' and '.join(names)}")


OTHERS = {  # weights of models whose codes are no vectors, by what is in their names
    ("quantize.", "quantizer.", "codebook", "vq."): "a VQ model's codes are indices",
    ("quant_conv.", "post_quant_conv."): "the codes of an AutoencoderKL are maps with places",
}
WAY = "wrap what gives (n, d): --adapter FILE.py:NAME"


def other_codes(names: Iterable[str]) -> str:
    """A sentence on weights whose model has codes that are not (n, d); empty for others.

    >>> other_codes(["encoder.0.weight", "quantizer.embedding.weight"])[:30]
    "a VQ model's codes are indices"
    """
    known = list(names)
    for marks, what in OTHERS.items():
        if any(mark in name for name in known for mark in marks):
            return f"{what}, not (n, d); {WAY}"
    return ""


def settings(path: Path) -> dict[str, Any]:
    """The JSON object in a file of settings."""
    found = read_json(path)
    if not isinstance(found, dict):
        raise InputError(f"{path} is not a JSON object; expected the settings that were saved with the weights")
    return found


def whole(found: Mapping[str, Any], key: str, path: Path) -> int:
    """The positive whole number under `key`."""
    value = found.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 4096:
        raise InputError(f"{path}: {key} is {str(value)[:40]!r}; expected a whole number from 1 to 4096")
    return value


def shape_of(value: Any, key: str, path: Path) -> tuple[int, int, int]:
    """(channels, height, width) as a settings file has it."""
    if isinstance(value, list | tuple) and len(value) == 3:
        sizes = [whole({key: size}, key, path) for size in value]
        return sizes[0], sizes[1], sizes[2]
    raise InputError(f"{path}: {key} is {str(value)[:40]}; expected channels, height and width, as in [1, 64, 64]")


def number(found: Mapping[str, Any], key: str, default: float, path: Path) -> float:
    """The number under `key`, or the default of that library where none is recorded."""
    value = found.get(key, default)
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise InputError(f"{path}: {key} is {str(value)[:40]!r}; expected a number")
    return float(value)


def expected_shapes(config: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """The weights' names and shapes, in the order of the layers, of the network that a partial configuration names."""
    untrained: dict[str, Any] = {
        "data": "unknown",
        "rows": 1,
        "steps": 1,
        "learning_rate": 1,
        "objective": {"name": "unknown"},
    }
    with torch.device("meta"):
        built = build(validate(RunConfig, {**untrained, **config}, "imported model"))
    return {name: tuple(tensor.shape) for name, tensor in built.state_dict().items()}


def renamed(weights: Mapping[str, Tensor], names: Sequence[str], config: Mapping[str, Any], path: Path) -> Any:
    """The weights of the layers `names` under our layers' names, first to first, shapes checked.

    ``names`` lists the foreign layers in the order in which our network has them, encoder first.
    """
    theirs = [f"{name}.{kind}" for name in names for kind in ("weight", "bias")]
    left = sorted(weights.keys() - set(theirs))
    if left:
        raise InputError(
            f"{path} has a weight {left[0][:60]} that this network does not have; does the file belong to "
            "another network?"
        )
    found = {}
    for (ours, shape), name in zip(expected_shapes(config).items(), theirs, strict=True):
        if name not in weights:
            raise InputError(f"{path} lacks the weight {name}; does it belong to another network?")
        if tuple(weights[name].shape) != shape:
            raise InputError(
                f"{path}: {name} is {tuple(weights[name].shape)}, expected {shape}; do the files belong together?"
            )
        found[ours] = weights[name]
    return found
