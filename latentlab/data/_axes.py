"""Which axis of an array of images is which: told by the shape, or by the user where that may mean two things."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from latentlab.errors import InputError

CHANNELS = range(2, 6)  # of one picture, its last axis
MOST = 64  # channels of an image
COLOURS = (1, 3)


def layout(path: Path, images: Any, axes: str = "") -> tuple[tuple[int, int, int, int], tuple[int, ...] | None]:
    """The shape (n, c, h, w), and how to transpose a block to it (None: add a channel).

    ``axes`` is ``nhw``, ``nhwc`` or ``nchw``; without it the shape tells, or an `InputError` asks.
    """
    shape = tuple(images.shape)
    if 0 in shape:
        raise InputError(f"{path}: images have shape {shape}, so there are none; expected at least one")
    if not axes and _doubtful(shape):
        example = ("hwcn" if shape[2] in CHANNELS else "chwn") if len(shape) == 4 else "hwc"
        example = "hwn" if len(shape) == 3 and shape[2] not in CHANNELS else example
        raise InputError(
            f"{str(path)[-40:]}: images have shape {shape}; which axis is which? transpose to (n, h, w, c), "
            f"or of a file say axes={example} or axes={'nhwc'[: len(shape)]}"
        )
    if len(shape) == 3:
        return (shape[0], 1, shape[1], shape[2]), None
    order = {"nchw": (0, 1, 2, 3), "nhwc": (0, 3, 1, 2)}.get(axes or _channels_at(shape), ())
    if not order or shape[order[1]] > MOST:
        ask = " in that order: axes=nhwc or axes=nchw says which" if len(shape) == 4 and not axes else ""
        raise InputError(
            f"{str(path)[-40:]}: images have shape {shape}; expected (n, h, w), (n, h, w, c) or (n, c, h, w), c 1 to "
            f"{MOST}{ask}"
        )
    n, c, h, w = (shape[axis] for axis in order)
    return (n, c, h, w), order


def _channels_at(shape: tuple[int, ...]) -> str:
    """How four axes lie, where that is plain: one may be 1 or 3 channels, or the two others are equal.

    >>> _channels_at((9, 28, 28, 3)), _channels_at((9, 5, 32, 32)), _channels_at((9, 8, 8, 8))
    ('nhwc', 'nchw', '')
    """
    if len(shape) != 4:
        return ""
    _, a, b, c = shape
    if (a in COLOURS) != (c in COLOURS):
        return "nchw" if a in COLOURS else "nhwc"
    if (b == c != a) != (a == b != c):
        return "nchw" if b == c else "nhwc"
    return ""


def signals(path: Path, shape: tuple[int, ...], axes: str, points: int) -> str:
    """The letters n, c and t of the axes of signals: as ``axes`` says, or as the shape and the axis's `points` tell.

    (n, t) is one channel a signal; of (n, a, b) the longer axis is that of time. An `InputError` asks where that is
    not plain.

    >>> signals(Path("s.npy"), (900, 2, 4000), "", 0), signals(Path("s.npy"), (900, 4000, 2), "", 4000)
    ('nct', 'ntc')
    """
    if axes:
        if sorted(axes) not in (["n", "t"], ["c", "n", "t"]) or len(axes) != len(shape):
            raise InputError(f"{path}: axes={axes[:20]} of signals {shape}; expected n, t (and c) in their order: nct")
        return axes
    if len(shape) == 2 and (not points or points == shape[1]):
        return "nt"
    if len(shape) == 3:
        fits = [k for k in (1, 2) if (shape[k] == points if points else shape[k] > shape[3 - k])]
        if len(fits) == 1:
            return "nct" if fits == [2] else "ntc"
    asked = f" with an axis of {points} points" if points else ""
    raise InputError(
        f"{str(path)[-40:]}: signals have shape {shape}{asked}; expected (n, points) or (n, channels, points): say "
        f"axes={'nct' if len(shape) == 3 else 'tn'} or axes={'ntc' if len(shape) == 3 else 'nt'}"
    )


def _doubtful(shape: tuple[int, ...]) -> bool:
    """Whether a shape looks like one picture with its channels, or has n last as MATLAB writes it.

    >>> _doubtful((64, 48, 3)), _doubtful((28, 28, 60_000)), _doubtful((60_000, 28, 28)), _doubtful((32, 32, 3, 1))
    (True, True, False, True)
    >>> _doubtful((3, 28, 28, 40)), _doubtful((3, 28, 28, 1))
    (True, False)
    """
    if len(shape) == 3:
        a, b, c = shape
        return min(a, b) > CHANNELS.stop and (c in CHANNELS or a == b != c or a < c >= 4 * b)
    if len(shape) != 4:
        return False
    a, b, c, d = shape
    return (min(a, b) > CHANNELS.stop and c in CHANNELS) or (a in COLOURS and b == c and d > CHANNELS.stop)


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
