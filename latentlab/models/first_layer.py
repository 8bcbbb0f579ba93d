"""The weights that a code meets first in a decoder."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from latentlab.errors import InputError
from latentlab.models.autoencoder import Model, device_of

LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.ConvTranspose1d, nn.ConvTranspose2d)


def first_weights(model: Model) -> Tensor:
    """The first layer's weights (m, d), found by decoding one code and looking which layer with weights comes first.

    A convolution over a code as an image of 1×1 pixels counts its kernel's places as outputs. Raises `InputError` where
    the decoder has no such layer or does something else with the code before.
    """
    met: list[nn.Module] = []

    def meet(module: nn.Module, given: Any) -> None:
        met.append(module)

    if not isinstance(model, nn.Module):
        raise InputError(f"the model is a {type(model).__name__}; expected a torch module")
    hooks = [module.register_forward_pre_hook(meet) for module in model.modules() if isinstance(module, LAYERS)]
    try:
        with torch.inference_mode():
            model.decode(torch.zeros(1, model.latent_dim, device=device_of(model)))
    finally:
        for hook in hooks:
            hook.remove()
    weights = _flat(met[0]) if met else None
    told = getattr(model, "conditions", None)
    if weights is not None and told is not None:
        weights = weights[:, : weights.shape[1] - told.width]  # what stands behind the code
    if weights is None or weights.shape[1] != model.latent_dim:
        has = "has no such layer" if weights is None else f"takes {weights.shape[1]} inputs, not {model.latent_dim}"
        raise InputError(f"the decoder's first layer {has}; directions by weights need a linear or convolutional one")
    return weights.detach().float().cpu()


def _flat(layer: nn.Module) -> Tensor | None:
    if isinstance(layer, nn.ConvTranspose1d | nn.ConvTranspose2d):
        return layer.weight.flatten(1).T
    if isinstance(layer, nn.Conv1d | nn.Conv2d):
        return layer.weight.transpose(0, 1).flatten(1).T
    return layer.weight if isinstance(layer, nn.Linear) else None
