"""The layers of a torch module as operations that ``decoder.js`` runs, and their weights in the order it reads them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn

from latentlab.errors import InputError
from latentlab.models.networks._layers import ConvTranspose2d
from latentlab.models.networks.resnet import Residual

Operation = tuple[dict[str, Any], list[Tensor]]  # what the layer is, and its weights


def operations(module: nn.Module) -> tuple[list[dict[str, Any]], list[Tensor]]:
    """The operations of a module in their order, and all their weights; an `InputError` names a layer that has none.

    >>> operations(nn.Sequential(nn.Linear(2, 3), nn.ReLU()))[0]
    [{'op': 'dense', 'out': 3}, {'op': 'relu'}]
    """
    found = [operation(layer) for layer in _flat(module)]
    return [what for what, _ in found], list(chain.from_iterable(weights for _, weights in found))


def operation(layer: nn.Module) -> Operation:
    """One layer. Its type must be known exactly: a subclass may compute something else."""
    read = OPERATIONS.get(type(layer))
    if read is None:
        known = ", ".join(kind.__name__ for kind in OPERATIONS)
        raise InputError(f"the decoder has a layer {type(layer).__name__}; a browser runs {known}")
    return read(layer)


def _flat(module: nn.Module) -> Sequence[nn.Module]:
    """The layers that a module runs one after the other, without those that change nothing in use."""
    if type(module) is nn.Sequential:
        return list(chain.from_iterable(map(_flat, module)))
    return [] if type(module) in (nn.Identity, nn.Dropout) else [module]


def _dense(layer: Any) -> Operation:
    return {"op": "dense", "out": layer.out_features}, [layer.weight, _bias(layer, layer.out_features)]


def _conv(layer: Any) -> Operation:
    return {"op": "conv", **_window(layer)}, [layer.weight, _bias(layer, layer.out_channels)]


def _transposed(layer: Any) -> Operation:
    by_output = layer.weight.flatten(1).T  # (out · taps, in)
    extra = list(layer.output_padding)
    return {"op": "transposed", **_window(layer), "extra": extra}, [by_output, _bias(layer, layer.out_channels)]


def _window(layer: Any) -> dict[str, Any]:
    if layer.groups != 1 or tuple(layer.dilation) != (1, 1) or layer.padding_mode != "zeros" or layer.padding == "same":
        raise InputError(
            "the decoder has a convolution with groups, dilation or a padding by name; a browser runs plain ones"
        )
    sides = {name: list(getattr(layer, f"{name}_size" if name == "kernel" else name)) for name in WINDOW}
    return {"out": layer.out_channels, **sides}


WINDOW = ("kernel", "stride", "padding")


def _bias(layer: Any, count: int) -> Tensor:
    return torch.zeros(count) if layer.bias is None else layer.bias


def _batchnorm(layer: Any) -> Operation:
    if layer.running_var is None:
        raise InputError("the decoder normalises each batch by itself, so a code alone has no image")
    scale = torch.rsqrt(layer.running_var + layer.eps) * (1.0 if layer.weight is None else layer.weight)
    shift = (0.0 if layer.bias is None else layer.bias) - layer.running_mean * scale
    return {"op": "scale"}, [scale, shift]


def _groupnorm(layer: Any) -> Operation:
    ones, zeros = torch.ones(layer.num_channels), torch.zeros(layer.num_channels)
    weights = [layer.weight, layer.bias] if layer.affine else [ones, zeros]
    return {"op": "groupnorm", "groups": layer.num_groups, "eps": layer.eps}, weights


def _upsample(layer: Any) -> Operation:
    if layer.mode != "nearest" or layer.size is None:
        raise InputError(f"the decoder enlarges by {layer.mode} or a factor; a browser does by nearest, to a size")
    size = layer.size if isinstance(layer.size, tuple) else (layer.size, layer.size)
    return {"op": "nearest", "size": list(size)}, []


def _residual(layer: Any) -> Operation:
    layers, weights = operations(layer.change)
    return {"op": "residual", "layers": layers}, weights


def _unflatten(layer: Any) -> Operation:
    if layer.dim != 1:
        raise InputError(f"the decoder unfolds axis {layer.dim}; a browser unfolds axis 1, the whole of a sample")
    return {"op": "reshape", "shape": list(layer.unflattened_size)}, []


OPERATIONS: Mapping[type[nn.Module], Callable[[Any], Operation]] = {
    nn.Linear: _dense,
    nn.Conv2d: _conv,
    nn.ConvTranspose2d: _transposed,
    ConvTranspose2d: _transposed,
    nn.ReLU: lambda layer: ({"op": "relu"}, []),
    nn.LeakyReLU: lambda layer: ({"op": "leaky", "slope": layer.negative_slope}, []),
    nn.Sigmoid: lambda layer: ({"op": "sigmoid"}, []),
    nn.Tanh: lambda layer: ({"op": "tanh"}, []),
    nn.BatchNorm1d: _batchnorm,
    nn.BatchNorm2d: _batchnorm,
    nn.GroupNorm: _groupnorm,
    nn.Upsample: _upsample,
    nn.Unflatten: _unflatten,
    Residual: _residual,
}
