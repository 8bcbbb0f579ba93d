"""The names of weights: what wrappers put before or between them, and which part of a file a model is.

``torch.compile``, ``DataParallel``, FSDP and trainers save a model's weights under longer names than its own:
``module.encoder.0.weight``, ``model._orig_mod.encoder.0.weight``. A file may hold other things beside the model, such
as a moving average of it (``ema_model.…``) or a discriminator.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from latentlab.errors import InputError

WRAPPERS = {"module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"}
AVERAGED = re.compile(r"(^|[._])(ema|swa|shadow|averaged?)(?=[._\d]|$)", re.IGNORECASE)
PARTS = ("encoder.", "decoder.")  # as `wrap` names them
COUNTER = (
    "num_batches_tracked"  # of batch normalisation: unused when a model is applied; files before PyTorch 0.4.1 lack it
)

Weights = dict[str, Tensor]


def bare(name: str) -> str:
    """A weight's name without the segments that wrappers put in.

    >>> bare("module.encoder._orig_mod.0.weight")
    'encoder.0.weight'
    """
    return ".".join(part for part in name.split(".") if part not in WRAPPERS)


def unwrapped(weights: Mapping[str, Tensor]) -> Weights:
    """The weights under their bare names; as they are where two would then have one name."""
    found = {bare(name): tensor for name, tensor in weights.items()}
    return found if len(found) == len(weights) and "" not in found else dict(weights)


def stems(names: Iterable[str], endings: Iterable[str]) -> list[str]:
    """What stands before a name that ends in one of the endings, the shortest first; empty or with a dot at its end.

    >>> stems(["ema.net.w", "net.w", "step"], ["w"])
    ['net.', 'ema.net.']
    """
    known = list(names)
    found = {name[: len(name) - len(end)] for end in endings for name in known if name.endswith(end)}
    return sorted((stem for stem in found if not stem or stem.endswith(".")), key=lambda stem: (len(stem), stem))


def below(weights: Mapping[str, Tensor], stem: str, others: Sequence[str]) -> Weights:
    """The weights whose names begin with the stem, without it, and without what belongs to a longer one of `others`."""
    longer = tuple(other for other in others if other != stem and other.startswith(stem))
    return {
        name.removeprefix(stem): tensor
        for name, tensor in weights.items()
        if name.startswith(stem) and not (longer and name.startswith(longer))
    }


def choose_stem(fitting: Mapping[str, Mapping[str, Tensor]], path: Path) -> str:
    """Which of several sets of weights that fit is meant: the one that is not a moving average, where that is one.

    Raises an `InputError` that names them where there are several of them, and they differ.
    """
    plain = [stem for stem in fitting if not AVERAGED.search(stem)] or list(fitting)
    first = fitting[plain[0]]
    others = [fitting[stem] for stem in plain[1:]]
    if any(other.keys() != first.keys() or any(not torch.equal(first[k], other[k]) for k in first) for other in others):
        told = ", ".join(repr(stem) for stem in plain)
        raise InputError(f"{path} holds several models that fit, under {told[:60]}; choose one with --key or --prefix")
    return plain[0]


def removed(weights: Mapping[str, Tensor], chosen: Mapping[str, Tensor]) -> str:
    """The prefix that the names of weights lost when they were chosen; empty where they kept their names.

    >>> w = torch.zeros(2)
    >>> removed({"module.net._orig_mod.0.bias": w}, {"net.0.bias": w})
    'module.'
    """
    short = {id(tensor): name for name, tensor in chosen.items()}
    kept = {id(tensor) for name, tensor in chosen.items() if weights.get(name) is tensor}
    for name, tensor in weights.items():
        if id(tensor) not in kept and short.get(id(tensor), name) != name:
            return _before(name.split("."), short[id(tensor)].split("."))
    return ""


def ignored(weights: Mapping[str, Tensor], chosen: Mapping[str, Tensor]) -> list[str]:
    """How the names of the weights begin, behind the removed prefix, that were not chosen.

    >>> w = torch.zeros(2)
    >>> ignored({"net.a.bias": w, "net.loss.bias": w + 1, "ema.a.bias": w + 2}, {"a.bias": w})
    ['loss.', 'ema.']
    """
    taken, prefix = {id(tensor) for tensor in chosen.values()}, removed(weights, chosen)
    left = [name.removeprefix(prefix).partition(".") for name, tensor in weights.items() if id(tensor) not in taken]
    return list(dict.fromkeys(head + dot for head, dot, _ in left))


def averages(weights: Iterable[str]) -> list[str]:
    """How the names of moving averages begin, up to the segment that says so; those of layers, which have a dot more.

    >>> averages(["net.w", "model.ema.net.w", "model.ema.net.b", "swa_n", "ema.decay"])
    ['model.ema.']
    """
    found = []
    for name in weights:
        segments = name.split(".")
        at = next((k for k, segment in enumerate(segments[:-2]) if AVERAGED.search(segment)), None)
        found += [] if at is None else [".".join(segments[: at + 1]) + "."]
    return list(dict.fromkeys(found))


def _before(name: list[str], ours: list[str]) -> str:
    """What stands in a name before the segments that end ours too, wrappers between them aside."""
    while name and ours:
        if name[-1] == ours[-1]:
            ours = ours[:-1]
        elif name[-1] not in WRAPPERS:
            break
        name = name[:-1]
    return f"{'.'.join(name)}." if name else ""


def the_part(weights: Mapping[str, Tensor], endings: Sequence[str], path: Path) -> Weights:
    """The one part of a file whose names end in the endings, under bare names without a prefix.

    The weights as they are where there is no such part: whoever asks for a name then says which one is missing.
    """
    names = unwrapped(weights)
    whole = [stem for stem in stems(names, endings[:1]) if all(stem + end in names for end in endings)]
    if not whole:
        return dict(weights)
    parts = {stem: below(names, stem, whole) for stem in whole}
    return parts[choose_stem(parts, path)]


def aligned(weights: Mapping[str, Tensor], model: nn.Module, path: Path) -> Weights:
    """The weights under the model's own names, where they are those of the model but for a prefix or for wrappers.

    Of two names that the model has for one weight, the file may leave one out, and it may lack the counters of batch
    normalisation, which are then the model's own. A file of a model's only part, such as
    the decoder of one that has no encoder, need not name the part. Weights that do not fit come back as they are:
    `check_weights` then says what is wrong with them.
    """
    own = model.state_dict(keep_vars=True)
    if not own or own.keys() == weights.keys():
        return dict(weights)
    plain = {bare(name): name for name in own}
    ours = plain if len(plain) == len(own) else {name: name for name in own}
    found = _part(weights, ours, own, path)
    begins = beginning(ours)
    if found is None and begins in PARTS and all(name.startswith(begins) for name in ours):
        only = _part(weights, {short.removeprefix(begins): name for short, name in ours.items()}, own, path)
        found = None if only is None or len(only) < len(weights) else only  # nothing in the file is left over
    return dict(weights) if found is None else found


def _part(weights: Mapping[str, Tensor], ours: dict[str, str], own: Mapping[str, Tensor], path: Path) -> Weights | None:
    """The part of a file that has our weights under their short names, or None; `ours` are the whole names by those."""
    tied: dict[int, list[str]] = {}
    for short, name in ours.items():
        tied.setdefault(id(own[name]), []).append(short)
    needed = [group for group in tied.values() if not group[0].endswith(COUNTER)]
    names, landmarks = unwrapped(weights), max(needed, key=lambda group: max(map(len, group)), default=[])
    whole = [s for s in stems(names, landmarks) if all(any(s + name in names for name in group) for group in needed)]
    counters = {short: own[name].detach() for short, name in ours.items() if short.endswith(COUNTER)}
    parts = {stem: counters | _filled(below(names, stem, whole), tied.values()) for stem in whole}
    heads = {name.partition(".")[0] for name in ours}
    kept = {s: {k: w for k, w in part.items() if k in ours or not _apart(k, heads)} for s, part in parts.items()}
    fitting = {stem: part for stem, part in kept.items() if part.keys() == ours.keys()}
    if not fitting:
        return None
    shapes = {short: own[name].shape for short, name in ours.items()}
    shaped = {stem: part for stem, part in fitting.items() if {s: w.shape for s, w in part.items()} == shapes}
    part = fitting[choose_stem(shaped or fitting, path)]
    return {name: part[short] for short, name in ours.items()}


def _apart(name: str, heads: Collection[str]) -> bool:
    """Whether a name belongs to something else beside the model, by how it begins: a moving average, a discriminator.

    A number does not say that: layers of a sequence that the model does not have make it another model.
    """
    head, dot, _ = name.partition(".")
    return bool(AVERAGED.search(head)) or (bool(dot) and head not in heads and not head.isdecimal())


def _filled(part: Weights, tied: Iterable[Sequence[str]]) -> Weights:
    """The weights with each that has several names under all of them."""
    more: Weights = {}
    for group in tied:
        there = next((name for name in group if name in part), None)
        more |= {} if there is None else {name: part[there] for name in group if name not in part}
    return part | more


def beginning(names: Iterable[str]) -> str:
    """How all the names begin, up to a dot; empty where they differ.

    >>> beginning(["net.a.w", "net.b.w"])
    'net.'
    """
    first = [name.split(".")[0] for name in names if "." in name]
    return f"{first[0]}." if first and len(set(first)) == 1 else ""
