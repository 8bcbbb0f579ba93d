"""Decoded images together with the codes they were decoded from, and how they lie in HDF5."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.errors import InputError
from latentlab.system.files import check_format
from latentlab.system.hdf5 import numbers, publishing, reading
from latentlab.system.quarantine import apart

FORMAT = 1
LEAST_CUT = 0.01


@dataclass(frozen=True, eq=False)
class Decodings:
    """Images decoded from codes: traversals, reconstructions, prior samples, interpolations.

    ``images`` (…, c, h, w) uint8 are the likelihood's means, 255 for 1. ``codes`` (…, d) float32 are what was decoded,
    with the same leading axes: (dimensions, steps) for a traversal, (rows,) for reconstructions. ``originals``
    (m, c, h, w) uint8 are the data's images that belong to them: the anchor, or the rows that were reconstructed.
    ``settings`` says how they were made (kind, range, anchor row, steps).
    """

    images: NDArray[np.uint8]
    codes: NDArray[np.float32]
    originals: NDArray[np.uint8] | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        pictures = [each for each in (self.images, self.originals) if each is not None]
        if {each.dtype for each in pictures} != {np.dtype(np.uint8)} or min(each.ndim for each in pictures) < 3:
            came = " and ".join(f"{each.dtype} {each.shape}" for each in pictures)
            raise InputError(f"images are {came}; expected uint8 (…, c, h, w)")
        if len({each.shape[-3:] for each in pictures}) > 1:
            raise InputError(f"images are {self.images.shape}, originals {pictures[1].shape}; expected one (c, h, w)")
        if self.images.shape[:-3] != self.codes.shape[:-1]:
            raise InputError(
                f"images are {self.images.shape[:-3]} but codes are {self.codes.shape[:-1]}; decode each code once"
            )


def changed_pixels(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """How much each pixel changes from one step of a traversal to the next: (…, steps, c, h, w) to (…, h, w) in [0, 1].

    The mean over neighbouring steps and over channels of the absolute difference, 1 for a change from 0 to 255 at every
    step. It is zero everywhere where a dimension changes nothing, and the same along the strip in either direction. It
    says where a picture changes, not by how much the code was moved: compare dimensions over one range alone.

    >>> changed_pixels(np.array([0, 255, 255], np.uint8).reshape(3, 1, 1, 1)).tolist()
    [[0.5]]
    """
    if images.ndim < 4 or images.shape[-4] < 2:
        raise InputError(
            f"images are {images.shape}; expected (…, steps, channels, height, width) of two steps at least"
        )
    steps = images.astype(np.float64) / 255
    return np.asarray(np.abs(np.diff(steps, axis=-4)).mean(axis=(-4, -3)))


def cut_told(parts: Mapping[str, Decodings]) -> str:
    """One sentence on decoded values that were cut to [0, 1], where those were more than one in a hundred."""
    cut = [part.settings["cut"] for part in parts.values() if "cut" in part.settings]
    share = max((each["share"] for each in cut), default=0.0)
    if share <= LEAST_CUT:
        return ""
    low, high = min(each["low"] for each in cut), max(each["high"] for each in cut)
    return (
        f"{share:.0%} of the decoded values are outside [0, 1], from {low:.3g} to {high:.3g}, and were cut in the "
        "pictures; a decoder that ends in tanh needs (x + 1) / 2"
    )


def save_decodings(path: Path, parts: Mapping[str, Decodings], inputs: Mapping[str, Any]) -> None:
    """Publish ``decodings.h5``: one group a part; ``inputs`` records what they were made from."""
    with publishing(path) as file:
        file.attrs["format"] = FORMAT
        file.attrs["inputs"] = json.dumps(inputs, sort_keys=True)
        for name, part in parts.items():
            group = file.create_group(name)
            group.attrs["settings"] = json.dumps(part.settings, sort_keys=True)
            group.create_dataset("images", data=part.images, compression="gzip", compression_opts=4)
            group.create_dataset("codes", data=part.codes)
            if part.originals is not None:
                group.create_dataset("originals", data=part.originals, compression="gzip", compression_opts=4)


@apart(Decodings)
def load_decodings(path: Path) -> dict[str, Decodings]:
    """The parts of a ``decodings.h5``, by name."""
    with reading(path, "decodings") as file:
        check_format(int(file.attrs["format"]), FORMAT, path)
        return {name: _part(group) for name, group in file.items()}


def _part(group: Any) -> Decodings:
    originals = numbers(group["originals"]) if "originals" in group else None
    settings = dict(json.loads(group.attrs["settings"]))
    return Decodings(numbers(group["images"]), numbers(group["codes"], "f"), originals, settings)
