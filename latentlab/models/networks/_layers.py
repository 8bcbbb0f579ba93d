"""What networks share: layers, the memory layout of images and weights, and what is computed in bfloat16."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional


class ConvTranspose2d(nn.ConvTranspose2d):
    """PyTorch's, with the bias added afterwards.

    On a CPU the library's own gradient of that bias takes longer than the gradients of weight and input together: at
    32 channels from 16×16 to 32×32, batch 64, 6.3 ms of bfloat16 instead of 1.3 ms and 0.2 ms for the sum.
    """

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Images (n, c, h, w) to (n, k, h', w')."""
        y: Tensor = functional.conv_transpose2d(x, self.weight, None, self.stride, self.padding)  # type: ignore[arg-type]
        return y if self.bias is None else y.add_(self.bias.to(y.dtype).view(-1, 1, 1))


def keep_variance(network: nn.Sequential) -> nn.Sequential:
    """Begin with weights that carry a signal's variance through all layers, ReLUs between them, and with biases of 0.

    Uniform with variance 2/n for n inputs (He et al. 2015, "Delving deep into rectifiers", equation 10), and 1/n in the
    last layer, which no ReLU follows. PyTorch's own 1/3n lets it fade, so that a deep decoder starts as a constant.
    """
    layers = [layer for layer in network if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d)]
    for layer in layers:
        inputs = layer.weight[0].numel()
        if isinstance(layer, nn.ConvTranspose2d):  # a pixel sees only the taps that the stride leaves it
            inputs = layer.in_channels * math.prod(layer.kernel_size) // math.prod(layer.stride)
        bound = math.sqrt(3 * (1 if layer is layers[-1] else 2) / inputs)
        nn.init.uniform_(layer.weight, -bound, bound)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
    return network


def channels_last(images: Tensor) -> Tensor:
    """The same numbers (n, c, h, w), channels innermost in memory and by their strides.

    With one channel both layouts lie alike in memory, and only the strides tell an operation which one is meant.
    """
    _, c, h, w = images.shape
    return images.contiguous(memory_format=torch.channels_last).as_strided(images.shape, (c * h * w, 1, w * c, c))


def mix_precision(model: nn.Module, device: str) -> None:
    """Let convolutions compute in bfloat16 and every other layer in float32; parameters stay float32 throughout.

    The layers around the code are dense ones: what they round, the code would have to drown out as noise.
    """
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            layer.forward = torch.autocast(device, torch.bfloat16)(layer.forward)  # type: ignore[method-assign]
        elif isinstance(layer, nn.Linear | nn.GroupNorm):
            layer.register_forward_pre_hook(_widen)


def _widen(layer: nn.Module, given: tuple[Tensor]) -> tuple[Tensor]:
    return (given[0].float(),)
