"""From what was asked for to a configuration in which nothing is left to be chosen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from latentlab.data import Dataset, Form, condition_of
from latentlab.data.kinds import kind_of
from latentlab.errors import InputError
from latentlab.models import build
from latentlab.runs.config import Hardware, RunConfig
from latentlab.system import registry
from latentlab.system.machine import process_threads, processor_flags
from latentlab.system.validation import validate
from latentlab.training.correlated import correlated, read_correlation
from latentlab.training.objectives import build_objective
from latentlab.training.row_weights import digest


def configure(
    data: Dataset,
    *,
    objective: str = "beta-vae",
    beta: float | None = None,
    settings: dict[str, Any] | None = None,
    split: str | None = None,
    correlate: str | None = None,
    network: str = "auto",
    likelihood: str = "auto",
    precision: str = "auto",
    threads: int | None = None,
    device: str = "auto",
    condition: Sequence[str] | str | None = None,
    condition_encoder: bool = False,
    **options: Any,
) -> RunConfig:
    """The resolved configuration of a run: every choice that was left open is made here, once.

    ``beta`` and ``settings`` (``{"gamma": 10}``) are the objective's, ``options`` the other fields of `RunConfig`.
    ``condition`` names categorical columns of the data (factors, or ``label``) that the decoder is told beside the
    code, and with ``condition_encoder`` the encoder too.
    ``correlate`` (``"shape:scale=0.2"``) has rows drawn so that two factors are correlated.
    """
    if beta is not None and "beta" in (settings or {}):
        raise InputError("β was given twice, as beta and as a setting; leave one out")
    given = {} if beta is None else {"beta": beta}
    chosen = build_objective({"name": objective, **given, **(settings or {})})
    split = split or ("train" if "train" in data.splits else "all")
    part = data.split(split)
    form = kind_of(data.form).fitted(data.form, part)
    if network == "auto":
        network = choose_network(data.form)
    if likelihood == "auto":
        likelihood = kind_of(data.form).likelihoods(data.form)[0]
    if likelihood == "bernoulli" and options.get("sigma") is not None:
        raise InputError("sigma was given, but a Bernoulli likelihood has none; leave it out or choose gaussian")
    check_takes(network, form)
    content = {
        "data": data.spec or data.name,
        "split": split,
        "rows": len(part),
        "source": dict(data.source),
        "fingerprint": part.fingerprint["images"],
        **(_correlation(part, correlate) if correlate else {}),
        "form": form,
        "network": network,
        "likelihood": likelihood,
        "objective": {"name": objective, **chosen.model_dump()},
        "stochastic": chosen.stochastic,
        "steps": 20_000,
        "decay": 0.2,
        "learning_rate": registry.load("models/networks", network).LEARNING_RATE,
        "conditions": conditions_of(part, condition, encoder=condition_encoder),
        "hardware": resolve_hardware(network, precision, threads, device).model_dump(),
        **{key: value for key, value in options.items() if value is not None},
    }
    config: RunConfig = validate(RunConfig, content, "configuration")
    with torch.device("meta"):
        build(config)
    return config


def conditions_of(data: Dataset, names: Sequence[str] | str | None, *, encoder: bool) -> dict[str, Any] | None:
    """The content of the run's `latentlab.runs.config.Conditions`; None where none is asked for."""
    chosen = [names] if isinstance(names, str) else list(names or ())
    if encoder and not chosen:
        raise InputError("condition-encoder needs a condition; add --condition COLUMN or leave it out")
    if len(set(chosen)) < len(chosen):
        raise InputError(f"the conditions {', '.join(chosen)[:80]} name a column twice; name each once")
    return {"columns": [condition_of(data, name) for name in chosen], "encoder": encoder} if chosen else None


def _correlation(data: Dataset, text: str) -> dict[str, str]:
    """The fields of a run whose rows are drawn so that two factors are correlated."""
    correlation = read_correlation(text)
    return {"correlate": str(correlation), "weights": digest(correlated(data, correlation))}


def choose_network(form: Form) -> str:
    """The network that ``auto`` stands for: the first of those that the kind prefers that takes samples of this form.

    >>> from latentlab.data.kinds import image_form
    >>> [choose_network(image_form((1, *size))) for size in ((28, 28), (64, 64), (105, 105), (8, 2000))]
    ['mlp', 'burgess', 'resnet', 'resnet']
    """
    *preferred, last = kind_of(form).networks(form)
    takes = (name for name in preferred if registry.load("models/networks", name).takes(form.shape))
    return next(takes, last)


def check_takes(network: str, form: Form) -> None:
    """Raise an `InputError` where the network is for samples of another kind: convolutions of images for tables."""
    module = registry.load("models/networks", network)
    if len(form.shape) != 3 and not getattr(module, "takes", lambda shape: True)(form.shape):
        raise InputError(f"the network {network} does not take {form.described()}; choose --network auto or mlp")


def resolve_hardware(network: str, precision: str, threads: int | None, device: str) -> Hardware:
    """What to compute with on this machine."""
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    content = {
        "device": device,
        "threads": process_threads() if threads is None else threads,
        "precision": best_precision(network, device) if precision == "auto" else precision,
        "memory_format": getattr(registry.load("models/networks", network), "MEMORY_FORMAT", "contiguous"),
    }
    found: Hardware = validate(Hardware, content, "configuration")
    check_device(found.device)
    return found


def best_precision(network: str, device: str) -> str:
    """The fastest precision at which the network's ELBO is known to stay within the spread of seeds, on this device."""
    narrow = device == "cpu" and bool({"avx512_bf16", "amx_bf16"} & processor_flags())
    return getattr(registry.load("models/networks", network), "PRECISION", "float32") if narrow else "float32"


def check_device(device: str) -> None:
    """Raise an `InputError` where this machine has no such device."""
    kind, _, number = device.partition(":")
    there = {
        "cpu": True,
        "cuda": int(number or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
    }
    if not there[kind]:
        raise InputError(f"device is {device!r}, which this machine does not have; leave --device out or choose cpu")
