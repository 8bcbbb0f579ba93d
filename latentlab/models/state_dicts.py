"""Where the weights lie in what a trainer saved: a state dict by itself, under a key, or in parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from latentlab.errors import InputError

TRAINED = ("model_state_dict", "state_dict", "model", "net", "network", "module", "params")
AVERAGED = ("ema_state_dict", "model_ema", "ema_model", "ema", "state_dict_ema", "params_ema", "shadow_params")
DEEPEST = 3
GROUPS = "param_groups"  # an optimizer's state has it, and tensors that are no weights

Place = tuple[str, Mapping[Any, Any]]


def find(tree: Any, path: Path, key: str | None = None) -> Place | None:
    """The dotted key under which the weights lie and the weights; None where there are none.

    With a `key`, what lies there: a whole dotted key or its last part. Without one, what trainers call trained weights,
    the outermost first; then a moving average; then all state dicts as one, each name with the keys before it.
    """
    places = _places(tree)
    if key is not None:
        return _chosen(places, path, key)
    for usual in (TRAINED, TRAINED + AVERAGED):
        for place in _nested(tree, usual, DEEPEST, ""):
            if holds_tensors(place[1]):
                return place
    return ("", _joined(places, "")) if places else None


def keys(tree: Any) -> list[str]:
    """The dotted keys of all state dicts in it that lie under one."""
    return [key for key, _ in _places(tree) if key]


def holds_tensors(found: Any) -> bool:
    """Whether this is a state dict: tensors by name, and nothing else."""
    return isinstance(found, Mapping) and bool(found) and all(isinstance(value, Tensor) for value in found.values())


def _chosen(places: Sequence[Place], path: Path, key: str) -> Place:
    """The state dict at a key, or all that lie below it as one."""
    whole = sorted({name[: end if end >= 0 else None] for name, _ in places for end in _ends(name)}, key=len)
    fitting = [name for name in whole if name == key] or [name for name in whole if f".{name}".endswith(f".{key}")]
    if len(fitting) != 1:
        known = ", ".join(name for name, _ in places if name) or "none: its weights lie at the top"
        what = f"several keys {key!r}" if fitting else f"no weights under the key {key!r}"
        raise InputError(f"{path.name[:60]} has {what[:50]}; expected one of: {known}"[:199])
    here = [(name, weights) for name, weights in places if name == fitting[0] or name.startswith(f"{fitting[0]}.")]
    return fitting[0], here[0][1] if here[0][0] == fitting[0] else _joined(here, f"{fitting[0]}.")


def _ends(name: str) -> list[int]:
    """Where each dotted key that a key begins with ends; −1 for the whole."""
    return [place for place, letter in enumerate(name) if letter == "."] + [-1] if name else []


def _joined(places: Sequence[Place], root: str) -> dict[str, Tensor]:
    return {
        f"{key.removeprefix(root)}.{name}".removeprefix("."): tensor
        for key, weights in places
        for name, tensor in weights.items()
    }


def _places(tree: Any) -> list[Place]:
    """Every state dict in it with its dotted key; where there is none, those that have other things between tensors."""
    return [*_walk(tree, "", DEEPEST + 1, lambda found: found if holds_tensors(found) else {}, set())] or [
        *_walk(tree, "", DEEPEST + 1, _among_others, set())
    ]


def _walk(
    found: Any, key: str, depth: int, weights_of: Callable[[Any], Mapping[Any, Any]], seen: set[int]
) -> Iterator[Place]:
    """The weights in a tree of mappings and lists, with their dotted keys; optimizers are passed over.

    A mapping of mappings that lies at several places is looked through once.
    """
    if weights := weights_of(found):
        yield key, weights
    elif depth and isinstance(found, Mapping | list | tuple) and id(found) not in seen:
        seen.add(id(found))
        items = list(found.items() if isinstance(found, Mapping) else enumerate(found))
        for name, part in [] if any(name == GROUPS for name, _ in items) else items:
            yield from _walk(part, f"{key}.{name}" if key else str(name), depth - 1, weights_of, seen)


def _among_others(found: Any) -> dict[str, Tensor]:
    """The tensors of a mapping that has some under dotted names, as layers have them, and other things beside."""
    if not isinstance(found, Mapping):
        return {}
    tensors = {name: w for name, w in found.items() if isinstance(name, str) and isinstance(w, Tensor)}
    return tensors if any("." in name for name in tensors) else {}


def _nested(found: Any, keys: Sequence[str], depth: int, at: str) -> Iterator[Place]:
    """A mapping and those that lie in it under such keys, the outermost first, with their dotted keys."""
    if isinstance(found, Mapping):
        yield at, found
        for key in keys if depth else ():
            yield from _nested(found.get(key), keys, depth - 1, f"{at}.{key}" if at else key)
