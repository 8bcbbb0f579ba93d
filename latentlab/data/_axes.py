"""Which axis of an array of images is which: told by the shape, or by the user where that may mean two things."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from latentlab.errors import InputError

CHANNELS = range(2, 6)  # of one picture, its last axis


def layout(path: Path, images: Any, axes: str = "") -> tuple[tuple[int, int, int, int], tuple[int, ...] | None]:
    """The shape (n, c, h, w), and how to transpose a block to it (None: add a channel).

    ``axes`` is ``nhw``, ``nhwc`` or ``nchw``; without it the shape tells, or an `InputError` asks.
    """
    dtype, shape = images.dtype, tuple(images.shape)
    if dtype not in (np.uint8, np.bool_) and dtype.kind != "f":
        raise InputError(f"{path}: images are {dtype}; expected uint8, bool or float in [0, 1]: convert them first")
    if 0 in shape:
        raise InputError(f"{path}: images have shape {shape}, so there are none; expected at least one")
    if not axes and _doubtful(shape):
        example = "hwcn" if len(shape) == 4 else "hwc" if shape[2] in CHANNELS else "hwn"
        raise InputError(
            f"{str(path)[-40:]}: images have shape {shape}; which axis is which? transpose to (n, h, w, c), "
            f"or of a file say axes={example} or axes={'nhwc'[: len(shape)]}"
        )
    if len(shape) == 3:
        return (shape[0], 1, shape[1], shape[2]), None
    if axes == "nchw" or (not axes and len(shape) == 4 and shape[1] in (1, 3) and shape[3] not in (1, 3)):
        order: tuple[int, ...] = (0, 1, 2, 3)
    elif axes == "nhwc" or (not axes and len(shape) == 4 and shape[3] in (1, 3) and shape[1] not in (1, 3)):
        order = (0, 3, 1, 2)
    else:
        order = ()
    if not order or shape[order[1]] not in (1, 3):
        raise InputError(
            f"{path}: images have shape {shape}; expected (n, h, w), (n, h, w, c) or (n, c, h, w), c 1 or 3"
        )
    n, c, h, w = (shape[axis] for axis in order)
    return (n, c, h, w), order


def _doubtful(shape: tuple[int, ...]) -> bool:
    """Whether a shape looks like one picture with its channels, or has n last as MATLAB writes it.

    >>> _doubtful((64, 48, 3)), _doubtful((28, 28, 60_000)), _doubtful((60_000, 28, 28)), _doubtful((32, 32, 3, 1))
    (True, True, False, True)
    """
    if len(shape) == 3:
        a, b, c = shape
        return min(a, b) > CHANNELS.stop and (c in CHANNELS or a == b != c or a < c >= 4 * b)
    return len(shape) == 4 and min(shape[:2]) > CHANNELS.stop and shape[2] in CHANNELS


def ordered(path: Path, images: Any, axes: str) -> tuple[Any, str]:
    """The array with n, h and w in that order, as the letters ``axes`` say where they are; and its axes then.

    An axis n is added where there is none, for one picture. What HDF5 holds is read by index, so n stands first there.
    """
    if len(set(axes)) != len(axes) or not {"h", "w"} <= set(axes) <= set("nhwc"):
        raise InputError(f"{path}: axes={axes[:20]} is not valid; expected the order of n, h, w and c, as in axes=hwcn")
    if len(axes) != len(images.shape):
        raise InputError(f"{path}: axes={axes} names {len(axes)} axes, but images have shape {tuple(images.shape)}")
    if not isinstance(images, np.ndarray):
        if axes not in ("nhw", "nhwc", "nchw"):
            raise InputError(f"{path}: axes={axes} in HDF5 is not read; store n first, as nhw, nhwc or nchw")
        return images, axes
    if "n" not in axes:
        images, axes = images[None], f"n{axes}"
    wanted = "nhwc"[: len(axes)]
    return images.transpose([axes.index(axis) for axis in wanted]), wanted
