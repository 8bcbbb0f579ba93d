"""A file of weights (.safetensors, .pt) for one of our own networks, under the network's own names.

``encoder.0.weight``, ``decoder.0.weight``, …: what ``model.state_dict()`` of a model built here gives. Names may
have what wrappers and trainers put before them (``module.``, ``_orig_mod.``, ``model.``, …). Latent size and whether
there is a variance are read off the weights; the images' shape comes from the data.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor

from latentlab.data import Dataset
from latentlab.errors import InputError
from latentlab.exchange.importers._foreign import Foreign, expected_shapes, other_codes
from latentlab.models.weight_names import beginning, below, choose_stem, stems, unwrapped
from latentlab.models.weights import read_checkpoint
from latentlab.system import registry
from latentlab.system.registry import choose, names

LANDMARK = "decoder.0.weight"


def read(
    path: Path,
    data: Dataset | None = None,
    network: str = "auto",
    likelihood: str = "bernoulli",
    key: str | None = None,
    prefix: str | None = None,
) -> Foreign:
    """The weights in a file, for samples of the form that `data` has."""
    if data is None:
        raise InputError(f"{path} does not record its image shape; name the data: --data SPEC")
    checkpoint = read_checkpoint(path, key)
    weights = unwrapped(checkpoint.under(prefix).weights)
    before = stems(weights, [LANDMARK])
    parts = {stem: below(weights, stem, before) for stem in before}
    for known in (
        names("models/networks") if network == "auto" else [choose(network, names("models/networks"), what="network")]
    ):
        found = {stem: (part, _config(part, data, known, likelihood)) for stem, part in parts.items()}
        fitting = {stem: part for stem, (part, config) in found.items() if config and _fits(part, config)}
        if fitting:
            stem = choose_stem(fitting, path)
            said = checkpoint.said(fitting[stem])
            start = "" if prefix is None else f"{prefix.rstrip('.')}."
            record = {"prefix": start + stem, "key": key or ""}
            config = found[stem][1] or {}
            return Foreign(fitting[stem], config, checkpoint.path, {k: v for k, v in record.items() if v}, said)
    if what := other_codes(weights):
        raise InputError(f"{str(path)[-60:]}: {what}")
    begins = beginning(weights)
    raise InputError(
        f"{path} does not fit {'any network' if network == 'auto' else f'the network {network}'} on "
        f"{data.form.described()}; other networks: --adapter FILE.py:NAME"
        + (f" (its names begin with {begins[:40]})" if begins not in ("", "decoder.", "encoder.") else "")
    )


def _fits(weights: dict[str, Tensor], config: dict[str, Any]) -> bool:
    takes = getattr(registry.load("models/networks", config["network"]), "takes", None)
    if takes is not None and not takes(config["form"].shape):
        return False
    return expected_shapes(config) == {name: tuple(tensor.shape) for name, tensor in weights.items()}


def _config(weights: Any, data: Dataset, network: str, likelihood: str) -> dict[str, Any] | None:
    """The configuration that such weights would have under that network, if any."""
    first = weights.get(LANDMARK)
    last = [tensor for name, tensor in weights.items() if name.startswith("encoder.") and name.endswith(".bias")]
    if first is None or first.ndim != 2 or not last:
        return None
    latent_dim, outputs = first.shape[1], max(weights.items(), key=_depth)[1].shape[0]
    if outputs not in (latent_dim, 2 * latent_dim):
        return None
    return {
        "data": data.spec or data.name,
        "form": data.form,
        "network": network,
        "latent_dim": latent_dim,
        "stochastic": outputs == 2 * latent_dim,
        "likelihood": likelihood,
        "objective": {"name": "unknown"},
    }


def _depth(item: Any) -> int:
    """The position of an encoder's layer in its network; −1 for anything else."""
    part, _, position = item[0].partition(".")
    position = position.split(".")[0]
    return int(position) if part == "encoder" and position.isdecimal() else -1
