"""Folders of our own as Hugging Face has them: config.json and model.safetensors, written by `save_pretrained`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from latentlab.errors import InputError
from latentlab.exchange.importers._foreign import Foreign, folder, other_codes, settings
from latentlab.models import Autoencoder, build
from latentlab.models.autoencoder import check_weights, fit_weights
from latentlab.models.weights import read_weights
from latentlab.runs.config import FORM_KEYS, RunConfig
from latentlab.system.registry import choose, names
from latentlab.system.validation import validate

KEPT = (
    "format", "data", "split", *FORM_KEYS, "network", "latent_dim", "likelihood", "sigma", "objective",
    "stochastic", "batch_size", "seed",
)  # fmt: skip
PLACED = ("AutoencoderKL", "AsymmetricAutoencoderKL", "AutoencoderTiny", "AutoencoderDC", "VQModel")


def read(path: Path) -> Foreign:
    """The model in such a folder; what its training was is kept under ``imported``."""
    folder(path, "config.json")
    where = path / "config.json"
    found = settings(where)
    if str(found.get("_class_name", "")) in PLACED:  # of diffusers
        marks = {"VQModel": "quantize."}.get(found["_class_name"], "quant_conv.")
        raise InputError(f"{str(where)[-60:]} is of {found['_class_name']}: {other_codes([marks])}")
    if found.get("library_name") != "latentlab":
        kinds = (found.get(key) for key in ("library_name", "model_type", "_class_name"))
        library = str(next(filter(None, kinds), "another library"))[:40]
        raise InputError(f"{where} is of {library}; expected what save_pretrained of latentlab writes")
    folder(path, "config.json", "model.safetensors")
    config = {key: found[key] for key in KEPT if key in found}
    choose(str(config.get("network")), names("models/networks"), what="network")
    if not isinstance(config.get("objective"), dict):
        raise InputError(f"{where}: objective is {str(config.get('objective'))[:40]!r}; expected its name and settings")
    return Foreign(read_weights(path / "model.safetensors"), config, path / "model.safetensors", found)


def from_pretrained(path: str | Path) -> Autoencoder:
    """Load the model in a folder that `save_pretrained` wrote, on the CPU, ready to encode and decode.

    Parameters
    ----------
    path : str or Path
        The folder.

    Returns
    -------
    Autoencoder
        The model; its outputs equal those of the run that was saved.

    Raises
    ------
    InputError
        Where the folder was not written by `save_pretrained`, or its weights do not belong to its configuration.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> import latentlab as ll
    >>> run = ll.train("digits", f"{mkdtemp()}/run", steps=2, latent_dim=2)
    >>> ll.from_pretrained(ll.save_pretrained(run, f"{mkdtemp()}/model")).latent_dim
    2
    """
    foreign = read(Path(path))
    unknown: dict[str, Any] = {"rows": 0, "steps": 0, "learning_rate": 0, "imported": {"format": "huggingface"}}
    config: RunConfig = validate(RunConfig, {**unknown, **foreign.config}, f"{path}/config.json")
    with torch.device("meta"):  # sizes that the weights do not have are refused before anything is allocated
        check_weights(build(config), foreign.weights, foreign.file)
    model = build(config)
    fit_weights(model, foreign.weights, foreign.file)
    return model.eval()
