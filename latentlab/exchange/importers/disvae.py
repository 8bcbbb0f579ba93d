"""Checkpoints of disentangling-vae (disvae): a folder with specs.json and model.pt, or one of its model-EPOCH.pt.

Its network is that of Burgess et al. (2018) for 32×32 and 64×64 images, layer by layer the one that we call burgess; so
an imported run is an ordinary run of that network. Two things differ: its last encoder layer gives mean and
log-variance by turns (``view(-1, d, 2).unbind(-1)``), ours all means first; and its decoder ends in a sigmoid, which we
keep in the likelihood.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from latentlab.data.kinds import image_form
from latentlab.errors import InputError
from latentlab.exchange.importers._foreign import Foreign, folder, number, renamed, settings, shape_of, whole
from latentlab.models.weight_names import the_part
from latentlab.models.weights import read_checkpoint

SIZES = {32: ("1", "2", "3"), 64: ("1", "2", "3", "_64")}
GENERATOR = "encoder.mu_logvar_gen"
# Its losses in the scale of a likelihood: 255 times a squared error is a Gaussian of σ² = 1/510, three times an
# absolute one a Laplace distribution of scale 1/3.
LIKELIHOODS: Mapping[str, dict[str, Any]] = {
    "bernoulli": {"likelihood": "bernoulli"},
    "gaussian": {"likelihood": "gaussian-sigmoid", "sigma": math.sqrt(1 / 510)},
    "laplace": {"likelihood": "laplace-sigmoid", "sigma": 1 / 3},
}


def read(path: Path, key: str | None = None, prefix: str | None = None) -> Foreign:
    """The model in a folder of disvae, or in one file of weights of it, such as ``model-10.pt`` after ten epochs.

    The folder's ``specs.json`` needs the images' size, the latent size and the network's name.
    """
    home, name = (path.parent, path.name) if path.is_file() else (path, "model.pt")
    folder(home, "specs.json", name)
    where = home / "specs.json"
    specs = settings(where)
    kind = specs.get("model_type", "Burgess")
    if str(kind).lower() != "burgess":
        raise InputError(f"{where}: model_type is {str(kind)[:40]!r}; expected Burgess, the network that is imported")
    shape = _shape(specs, where)
    config = {
        "data": _data(specs.get("dataset")),
        "form": image_form(shape),
        "network": "burgess",
        "latent_dim": whole(specs, "latent_dim", where),
        "objective": _objective(specs, where),
        **_likelihood(specs, where),
        **_training(specs),
    }
    found = read_checkpoint(home / name, key)
    weights = the_part(found.under(prefix).weights, [f"{GENERATOR}.weight", "decoder.lin1.weight"], home / name)
    layers = [f"encoder.conv{n}" for n in SIZES[shape[1]]] + ["encoder.lin1", "encoder.lin2", GENERATOR]
    layers += [f"decoder.{name}" for name in ("lin1", "lin2", "lin3")]
    layers += ["decoder.convT_64"] * (shape[1] == 64) + [f"decoder.convT{n}" for n in (1, 2, 3)]
    ours = renamed(_means_first(weights), layers, config, home / name)
    return Foreign(ours, config, home / name, specs, found.said(weights))


def _data(name: Any) -> str:
    """The data set's name. A path is not taken over: what a checkpoint names is not to be opened for it."""
    return name if isinstance(name, str) and re.fullmatch(r"[\w-]{1,64}", name) else "unknown"


def _shape(specs: Mapping[str, Any], where: Path) -> tuple[int, int, int]:
    shape = shape_of(specs.get("img_size"), "img_size", where)
    if shape[1] != shape[2] or shape[1] not in SIZES:
        raise InputError(f"{where}: img_size is {list(shape)}; expected 32×32 or 64×64, the sizes this network takes")
    return shape


def _means_first(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rows mean, log-variance, mean, … put in order: all means, then all log-variances."""
    found = dict(weights)
    for name in (f"{GENERATOR}.weight", f"{GENERATOR}.bias"):
        if name in found and found[name].ndim and len(found[name]) % 2 == 0:  # else `renamed` says what is wrong
            found[name] = found[name].unflatten(0, (-1, 2)).transpose(0, 1).flatten(0, 1).contiguous()
    return found


def _objective(specs: Mapping[str, Any], where: Path) -> dict[str, Any]:
    """Its loss under our names; one that we do not know keeps its own."""
    loss = specs.get("loss")
    if loss in ("VAE", "betaH"):
        beta = 1.0 if loss == "VAE" else number(specs, "betaH_B", 4, where)
        return {"name": "vae" if loss == "VAE" else "beta-vae", "beta": beta}
    if loss == "betaB":
        return {
            "name": "annealed-vae",
            "gamma": number(specs, "betaB_G", 1000, where),
            "capacity": number(specs, "betaB_finC", 25, where),
        }
    if loss == "factor":
        return {"name": "factor-vae", "gamma": number(specs, "factor_G", 6, where)}
    if loss == "btcvae":
        keys = {"alpha": "btcvae_A", "beta": "btcvae_B", "gamma": "btcvae_G"}
        defaults = {"alpha": 1, "beta": 6, "gamma": 1}
        return {"name": "beta-tcvae", **{key: number(specs, keys[key], defaults[key], where) for key in keys}}
    return {"name": loss[:64] if isinstance(loss, str) and loss else "unknown"}


def _likelihood(specs: Mapping[str, Any], where: Path) -> dict[str, Any]:
    kind = specs.get("rec_dist", "bernoulli")
    if not isinstance(kind, str) or kind not in LIKELIHOODS:
        raise InputError(f"{where}: rec_dist is {str(kind)[:40]!r}; expected {', '.join(LIKELIHOODS)}")
    return LIKELIHOODS[kind]


def _training(specs: Mapping[str, Any]) -> dict[str, Any]:
    names = {"batch_size": "batch_size", "learning_rate": "lr", "seed": "seed"}
    return {ours: specs[theirs] for ours, theirs in names.items() if specs.get(theirs) is not None}
