"""Checkpoints of pythae: a folder with model_config.json and model.pt, of models with its default networks.

Those are perceptrons with one hidden layer, here the network shallow. Their decoder ends in a sigmoid, which we keep in
the likelihood. Networks of the user's own lie in such a folder as pickled code, which is never loaded: `wrap` them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from latentlab.data.kinds import image_form
from latentlab.errors import InputError
from latentlab.exchange.importers._foreign import Foreign, folder, renamed, settings, shape_of, whole
from latentlab.models.weight_names import the_part
from latentlab.models.weights import read_checkpoint

# Models whose posterior is a point or a factorised Gaussian and whose prior is N(0, I): our name for the objective, and
# which settings it keeps (theirs:ours, where the names differ).
POINTS = {"AEConfig": ("ae", ()), "WAE_MMD_Config": ("wae", ("kernel_choice", "reg_weight", "kernel_bandwidth")),
          "RAE_L2_Config": ("rae-l2", ("embedding_weight", "reg_weight")),
          "RAE_GP_Config": ("rae-gp", ("embedding_weight", "reg_weight"))}  # fmt: skip
GAUSSIANS = {"VAEConfig": ("vae", ()), "BetaVAEConfig": ("beta-vae", ("beta",)),
             "BetaTCVAEConfig": ("beta-tcvae", ("alpha", "beta", "gamma")),
             "FactorVAEConfig": ("factor-vae", ("gamma",)),
             "DisentangledBetaVAEConfig": ("annealed-vae", ("beta:gamma", "C:capacity")),
             "INFOVAE_MMD_Config": ("info-vae", ("alpha", "lbd:lambda", "kernel_choice")),
             "IWAEConfig": ("iwae", ("number_samples",)), "MSSSIM_VAEConfig": ("msssim-vae", ("beta", "window_size")),
             "Adversarial_AE_Config": ("adversarial-ae", ("adversarial_loss_scale",)),
             "MIWAEConfig": ("miwae", ("number_gradient_estimates", "number_samples")),
             "PIWAEConfig": ("piwae", ("number_gradient_estimates", "number_samples")),
             "CIWAEConfig": ("ciwae", ("number_samples", "beta"))}  # fmt: skip
LANDMARKS = ("encoder.embedding.weight", "decoder.layers.0.0.weight")
PLAIN_ERROR = math.sqrt(0.5)  # a squared error without its half is a Gaussian of σ² = 1/2


def read(path: Path, key: str | None = None, prefix: str | None = None) -> Foreign:
    """The model in a folder that pythae saved (``final_model``, or any other with the two files)."""
    folder(path, "model_config.json", "model.pt")
    where = path / "model_config.json"
    record = settings(where)
    name = record.get("name")
    if not isinstance(name, str) or name not in POINTS | GAUSSIANS:
        raise InputError(f"{where}: name is {str(name)[:40]!r}; expected one of {', '.join(POINTS | GAUSSIANS)}"[:199])
    if record.get("uses_default_encoder") is False or record.get("uses_default_decoder") is False:
        raise InputError(
            f"{path} contains custom networks as pickled code, which is never loaded; use import --adapter"
        )
    config = {
        "data": "unknown",
        "form": image_form(shape_of(record.get("input_dim"), "input_dim", where)),
        "network": "shallow",
        "latent_dim": whole(record, "latent_dim", where),
        "stochastic": name in GAUSSIANS,
        "objective": _objective(name, record),
        **_likelihood(name, record),
        **_training(path),
    }
    checkpoint = read_checkpoint(path / "model.pt", key)
    part = the_part(checkpoint.under(prefix).weights, LANDMARKS, path / "model.pt")
    said = checkpoint.said(part)
    return Foreign(_weights(part, config, path / "model.pt"), config, path / "model.pt", record, said)


def _objective(name: str, found: Mapping[str, Any]) -> dict[str, Any]:
    ours, keys = (POINTS | GAUSSIANS)[name]
    if ours == "vae":
        return {"name": "vae", "beta": 1.0}
    pairs = [key.partition(":") for key in keys]
    return {"name": ours, **{new or key: found[key] for key, _, new in pairs if key in found}}


def _likelihood(name: str, found: Mapping[str, Any]) -> dict[str, Any]:
    """Its reconstruction loss as a likelihood: cross-entropy, or half the squared error, which is σ = 1."""
    if found.get("reconstruction_loss") == "bce":
        return {"likelihood": "bernoulli"}
    return {"likelihood": "gaussian-sigmoid", "sigma": PLAIN_ERROR if name in POINTS else 1.0}


def _training(path: Path) -> dict[str, Any]:
    """What a ``training_config.json`` beside the model says, where there is one."""
    if not (path / "training_config.json").is_file():
        return {}
    found = settings(path / "training_config.json")
    names = {"batch_size": "per_device_train_batch_size", "learning_rate": "learning_rate", "seed": "seed"}
    return {ours: found[theirs] for ours, theirs in names.items() if found.get(theirs) is not None}


def _weights(found: Mapping[str, Tensor], config: Mapping[str, Any], path: Path) -> Any:
    """Encoder and decoder by our names: mean and log-variance, two layers there, are rows of one here."""
    weights = {name: w for name, w in found.items() if name.startswith(("encoder.", "decoder."))}
    for kind in ("weight", "bias"):
        heads = [weights.pop(f"encoder.{head}.{kind}", None) for head in ("embedding", "log_var")]
        present = [head for head in heads if head is not None]
        shapes = {head.shape for head in present}
        if len(present) != 1 + bool(config["stochastic"]) or len(shapes) != 1 or torch.Size() in shapes:
            raise InputError(
                f"{path} does not contain the encoder named in its settings; do the files belong together?"
            )
        weights[f"encoder.heads.{kind}"] = torch.cat(present)
    layers = ("encoder.layers.0.0", "encoder.heads", "decoder.layers.0.0", "decoder.layers.1.0")
    return renamed(weights, layers, config, path)
