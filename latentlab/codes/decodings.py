"""Decoded samples together with the codes they were decoded from, and how they lie in HDF5."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.data import Form
from latentlab.data.dataset import Samples
from latentlab.data.kinds import form_from, image_form
from latentlab.errors import InputError
from latentlab.system.files import check_format
from latentlab.system.hdf5 import numbers, publishing, reading
from latentlab.system.numbers import percent
from latentlab.system.quarantine import apart

FORMAT = 1
LEAST_CUT = 0.01


@dataclass(frozen=True, eq=False)
class Decodings:
    """Samples decoded from codes: traversals, reconstructions, prior samples, interpolations.

    Parameters
    ----------
    images : array (…, *shape)
        The likelihood's means in the values of their ``form``: pictures (…, c, h, w) in bytes, 255 for 1, where none is
        named; the rows of a table, curves.
    codes : array (…, d), float32
        What was decoded, with the same leading axes: (dimensions, steps) for a traversal, (rows,) for reconstructions.
    originals : array (m, *shape), optional
        The data's samples that belong to them: the anchor, or the rows that were reconstructed.
    settings : mapping
        How they were made: kind, range, anchor row, steps.
    form : Form, optional
        What one sample is; by default an image in bytes.

    Raises
    ------
    InputError
        Where samples are not arrays of their form, or samples and codes differ in their leading axes.

    Examples
    --------
    >>> Decodings(np.zeros((5, 1, 8, 8), np.uint8), np.zeros((5, 2), np.float32)).form.shape
    (1, 8, 8)
    """

    images: Samples
    codes: NDArray[np.float32]
    originals: Samples | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    form: Form = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        pictures = [each for each in (self.images, self.originals) if each is not None]
        if not all(isinstance(each, np.ndarray) for each in (*pictures, self.codes)) or not pictures:
            came = " and ".join(type(each).__name__ for each in (*pictures, self.codes))
            raise InputError(f"images and codes are {came}; expected arrays")
        if self.form is None:
            if {each.dtype for each in pictures} != {np.dtype(np.uint8)} or min(each.ndim for each in pictures) < 3:
                came = " and ".join(f"{each.dtype} {each.shape}" for each in pictures)
                raise InputError(f"images are {came}; expected uint8 (…, c, h, w), or their form")
            object.__setattr__(self, "form", image_form(self.images.shape[-3:]))
        n = self.form.ndim
        for each in pictures:
            if each.shape[-n:] != self.form.shape or (each.dtype == np.uint8) != self.form.bytes:
                raise InputError(f"samples are {each.dtype} {each.shape}; expected {self.form.stored} {self.form.size}")
        if self.images.shape[:-n] != self.codes.shape[:-1]:
            raise InputError(
                f"images are {self.images.shape[:-n]} but codes are {self.codes.shape[:-1]}; decode each code once"
            )

    def pictures(self, images: Samples | None = None) -> NDArray[np.uint8]:
        """The samples as small pictures: what strips are made of.

        Parameters
        ----------
        images : array (…, *shape), optional
            Samples of the same form to show in place of these.

        Returns
        -------
        array (…, 1 or 3, h, w), uint8
            A picture of each sample.
        """
        return self.form.picture(self.images if images is None else images)


def anchor_of(traversal: Decodings) -> NDArray[np.float32] | None:
    """The code (d,) that all dimensions of a traversal (d, steps, d) go through; None of one dimension, which moves.

    >>> moved = Decodings(np.zeros((2, 1, 1, 4, 4), np.uint8), np.array([[[-2, 5]], [[3, -2]]], np.float32))
    >>> anchor_of(moved).tolist()
    [3.0, 5.0]
    """
    d = traversal.codes.shape[-1]
    others = np.roll(np.arange(d), -1)  # the traversal of another dimension leaves this one where it is
    return traversal.codes[others, 0, np.arange(d)] if d > 1 else None


def changed(images: Samples, form: Form) -> NDArray[np.float64]:
    """How much each place changes from one step of a traversal to the next: (…, steps, *shape) to (…, places).

    The mean over neighbouring steps and over channels of the absolute difference in units of the model's input: of
    bytes 1 for a change from 0 to 255 at every step. Places are the pixels (h, w) of pictures, the points (t,) of a
    signal, the columns (d,) of a table. It is zero everywhere where a dimension changes nothing, and the same along
    the strip in either direction. It says where a sample changes, not by how much the code was moved: compare
    dimensions over one range alone.

    >>> changed(np.array([0, 255, 255], np.uint8).reshape(3, 1, 1, 1), image_form((1, 1, 1))).tolist()
    [[0.5]]
    """
    n = form.ndim
    if images.ndim < n + 1 or images.shape[-n - 1] < 2:
        raise InputError(f"samples are {images.shape}; expected (…, steps, {form.size}) of at least two steps")
    steps = np.abs(np.diff(form.to_model(images).astype(np.float64), axis=-n - 1)).mean(axis=-n - 1)
    return np.asarray(steps.mean(axis=-n) if n > 1 else steps)


def cut_told(parts: Mapping[str, Decodings]) -> str:
    """One sentence on decoded values that were cut to [0, 1], where those were more than one in a hundred."""
    cut = [part.settings["cut"] for part in parts.values() if "cut" in part.settings]
    share = max((each["share"] for each in cut), default=0.0)
    if share <= LEAST_CUT:
        return ""
    low, high = min(each["low"] for each in cut), max(each["high"] for each in cut)
    return (
        f"{percent(share)} of the decoded values are outside [0, 1], from {low:.3g} to {high:.3g}, and were "
        "clipped; a decoder that ends in tanh needs (x + 1) / 2"
    )


def save_decodings(path: Path, parts: Mapping[str, Decodings], inputs: Mapping[str, Any]) -> None:
    """Publish ``decodings.h5``: one group a part; ``inputs`` records what they were made from."""
    with publishing(path) as file:
        file.attrs["format"] = FORMAT
        file.attrs["inputs"] = json.dumps(inputs, sort_keys=True)
        for name, part in parts.items():
            group = file.create_group(name)
            group.attrs["settings"] = json.dumps(part.settings, sort_keys=True)
            if not part.form.bytes or part.form != image_form(part.form.shape):
                group.attrs["form"] = json.dumps(part.form.to_json(), sort_keys=True)
            group.create_dataset("images", data=part.images, compression="gzip", compression_opts=4)
            group.create_dataset("codes", data=part.codes)
            if part.originals is not None:
                group.create_dataset("originals", data=part.originals, compression="gzip", compression_opts=4)


@apart(Decodings, Form)
def load_decodings(path: Path) -> dict[str, Decodings]:
    """The parts of a ``decodings.h5``, by name."""
    with reading(path, "decodings") as file:
        check_format(int(file.attrs["format"]), FORMAT, path)
        return {name: _part(file[name]) for name in file}  # not items(): it would keep h5py locked if one fails


def _part(group: Any) -> Decodings:
    originals = numbers(group["originals"]) if "originals" in group else None
    settings = dict(json.loads(group.attrs["settings"]))
    form = form_from(json.loads(group.attrs["form"])) if "form" in group.attrs else None
    return Decodings(numbers(group["images"]), numbers(group["codes"], "f"), originals, settings, form)  # type: ignore[arg-type]
