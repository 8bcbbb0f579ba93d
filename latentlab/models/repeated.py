"""Images most of whose patches repeat, such as sprites on a background: convolutions compute equal patches once.

A convolution followed by a ReLU maps equal windows to equal outputs. So the windows of a block of images are numbered,
equal ones alike, and the layer computes one output for each number; the next layer's windows are windows of numbers.
Of the windows that the second layer of `burgess` sees in dSprites, one to five in a hundred are distinct.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import NamedTuple, TypeGuard, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from latentlab.data.dataset import Samples
from latentlab.models.autoencoder import Autoencoder, Model, form_of

FLAT = 0.95  # the share of pixels that equal the one to their left, and the one above, where patches repeat
HELD = 48 << 20  # numbers that images whose windows are numbered together may take, if none repeat: 200 MB
ROWS = 256  # of a matrix product: always as many, for its rounding may depend on how many there are

Kind = TypeVar("Kind", bound=nn.Module)


def repeating(images: Samples) -> NDArray[np.bool_]:
    """Which images (k, c, h, w) in bytes have patches that repeat; by the image alone. None of other numbers.

    >>> flat = np.zeros((1, 1, 8, 64), np.ubyte)
    >>> repeating(np.concatenate([flat, np.arange(512).astype(np.ubyte).reshape(flat.shape)])).tolist()
    [True, False]
    """
    if images.dtype != np.ubyte:
        return np.zeros(len(images), bool)
    as_left = (images[..., 1:] == images[..., :-1]).all(axis=1).mean(axis=(1, 2))
    as_above = (images[..., 1:, :] == images[..., :-1, :]).all(axis=1).mean(axis=(1, 2))
    return np.asarray(np.minimum(as_left, as_above) >= FLAT)


class Front(NamedTuple):
    """A model, and its encoder's first convolutions, each followed by a ReLU, whose windows are numbered."""

    model: Autoencoder
    layers: tuple[nn.Conv2d, ...]

    def rest(self) -> Autoencoder:
        """The model whose samples are what these layers make of images."""
        behind = self.model.encoder[2 * len(self.layers) :]  # type: ignore[index]
        return Autoencoder(behind, self.model.decoder, self.model.likelihood, self.model.latent_dim)

    def parts(self, images: Samples, rows: NDArray[np.intp], batch: int) -> list[NDArray[np.intp]]:
        """Rows of images (k, c, h, w), in parts whose windows are numbered together: 1,024 of 64×64 for `burgess`.

        They are whole batches where a part has more than one.
        """
        (depth, *size), most = images.shape[1:], 1
        for layer in self.layers:
            size = list(_seen(layer, *size))
            most = max(most, size[0] * size[1] * (layer.kernel_size[0] ** 2 * depth + layer.out_channels))
            depth = 1  # the next layer's windows are of numbers
        count = max(1, HELD // most)
        count -= count % batch if count > batch else 0
        return [rows[start : start + count] for start in range(0, len(rows), count)]

    def outputs(self, images: Samples, batch: int) -> Iterator[Tensor]:
        """What the last of these layers and its ReLU make of images (k, c, h, w) in bytes, so many at a time.

        It is what PyTorch's convolutions make of them but for rounding: (batch, channels, down, across).
        """
        from latentlab.models._windows_kernel import number_windows

        taken = form_of(self.model, images.shape[1:]).to_model(np.arange(256).reshape(-1, 1, 1, 1))
        vectors = torch.from_numpy(taken.reshape(-1, 1))  # what each number stands for
        cells = np.ascontiguousarray(images.transpose(0, 2, 3, 1), np.int32)
        for layer in self.layers:
            k, height, width, depth = cells.shape
            kernel, stride, padding = layer.kernel_size[0], layer.stride[0], int(layer.padding[0])
            numbers = np.empty((k, *_seen(layer, height, width)), np.int32)
            windows = np.empty((numbers.size, kernel * kernel * depth), np.int32)
            flat = cells.reshape(k, height, width * depth)
            count = number_windows(flat, kernel, stride, padding, _multipliers(windows.shape[1]), numbers, windows)
            vectors = _convolved(layer, vectors, windows[:count])
            cells = numbers[..., None]
        for part in torch.from_numpy(cells[..., 0]).split(batch):
            yield vectors[part].permute(0, 3, 1, 2)


def front(model: Model, shape: tuple[int, ...]) -> Front | None:
    """The first convolutions whose windows cover less than half of the height and width of images (c, h, w), if any.

    None for a model that is not one of latentlab's own on the processor, or whose encoder does not begin so, with plain
    layers: weights that a hook computes, as of spectral normalisation, are known when the layer is called, not before.
    """
    if len(shape) != 3 or not _is(model, Autoencoder) or model.seen is not None:
        return None
    if not _is(model.encoder, nn.Sequential):
        return None
    found: list[nn.Conv2d] = []
    channels, covered, step = shape[0], 1, 1
    for layer, after in list(pairwise(model.encoder))[::2]:
        if not _is(layer, nn.Conv2d) or not _is(after, nn.ReLU) or not _plain(layer) or layer.in_channels != channels:
            break
        channels = layer.out_channels
        covered, step = covered + (layer.kernel_size[0] - 1) * step, step * layer.stride[0]
        if 2 * covered >= min(shape[1:]):
            break
        found.append(layer)
    return Front(model, tuple(found)) if found else None


def _seen(layer: nn.Conv2d, height: int, width: int) -> tuple[int, int]:
    """How many windows of an image the layer sees, down and across."""
    kernel, stride, padding = layer.kernel_size[0], layer.stride[0], int(layer.padding[0])
    return (height + 2 * padding - kernel) // stride + 1, (width + 2 * padding - kernel) // stride + 1


def _is(module: object, kind: type[Kind]) -> TypeGuard[Kind]:
    """Whether a module does what its kind does, and no more: a subclass may do anything, and so may hooks."""
    if type(module) is not kind or "forward" in vars(module):
        return False
    return not module._forward_pre_hooks and not module._forward_hooks


def _plain(layer: nn.Conv2d) -> bool:
    return (
        not isinstance(layer.padding, str)
        and all(pair[0] == pair[1] for pair in (layer.kernel_size, layer.stride, layer.padding))
        and (layer.groups, layer.dilation, layer.padding_mode) == (1, (1, 1), "zeros")
        and layer.weight.device.type == "cpu"
        and layer.weight.dtype == torch.float32
    )


def _convolved(layer: nn.Conv2d, vectors: Tensor, windows: NDArray[np.int32]) -> Tensor:
    """The layer's output (count, channels), after the ReLU, of windows (count, cells) of numbers of vectors."""
    vectors = torch.cat([vectors, vectors.new_zeros(1, vectors.shape[1])])  # the last for places outside
    weight = layer.weight.permute(2, 3, 1, 0).reshape(-1, layer.out_channels).contiguous()
    bias = vectors.new_zeros(layer.out_channels) if layer.bias is None else layer.bias
    found = vectors.new_empty(len(windows), layer.out_channels)
    chosen = np.zeros((ROWS, windows.shape[1]), np.int32)
    for start in range(0, len(windows), ROWS):
        part = found[start : start + ROWS]
        np.copyto(chosen[: len(part)], windows[start : start + ROWS])
        chosen[chosen < 0] = len(vectors) - 1
        seen = vectors.index_select(0, torch.from_numpy(chosen).view(-1)).view(ROWS, -1)
        part.copy_(torch.addmm(bias, seen, weight)[: len(part)])
    return found.relu_()


@cache
def _multipliers(length: int) -> NDArray[np.uint64]:
    return np.random.default_rng(0).integers(1 << 63, size=length, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
