"""One file of arrays as a data set: a published one, known by what is in it, or a user's own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from latentlab.data import _arrays, _published, dsprites, shapes3d
from latentlab.data._fingerprint import Known, of_stored
from latentlab.data.dataset import Dataset
from latentlab.errors import InputError


def load(
    path: Path,
    *,
    axes: str = "",
    kind: str = "",
    stored: str = "",
    stretch: str = "",
    colours: int | tuple[int, ...] = (),
) -> Dataset:
    """The samples of a file by index, with labels and factors where it has them.

    An ``.npz`` or ``.h5`` names its arrays ``images`` (or imgs, signals, x, X, data), ``labels`` (or label, y),
    ``factors`` (or v: (n, k), level indices or values, NaN where missing), ``factor_names`` (k,) and ``factor_kinds``.
    Factors without a kind are categorical where they are whole numbers and continuous elsewhere. ``.npy`` is read by
    index, and so are images of bytes in ``.h5``; the rest as a whole. ``axes`` gives the order of the axes where it is
    another than (n, h, w), (n, h, w, c) or (n, c, h, w), or of signals (n, t) or (n, c, t), or cannot be told from the
    shape: ``hwn``, ``hwcn``, ``ntc``, ``hwc`` for one picture. ``kind`` says that samples are a ``table``, ``counts``,
    a ``signal`` or an ``image``, as does an array ``kind`` in the file; beside it stand ``feature_names`` (d,),
    ``axis`` (points,), ``axis_unit`` and ``unit``; an array called ``wavelength``, ``wavenumbers``, ``time``, … that
    rises or falls over the points is an axis as well.

    Images of uint8, flags and floats in [0, 1] are kept as bytes; images of other numbers as they are, and floats in
    [0, 1] too with ``stored=float32``. ``stretch=asinh`` shows a model the inverse hyperbolic sine of values in units
    of their noise, ``colours=4x2x1`` a reader channels 4, 2 and 1 as red, green and blue.

    Raises `InputError` for other dtypes and shapes, NaN, pickled objects, and files that hold more or fewer bytes than
    they announce.
    """
    suffix, how = path.suffix.lower(), {"stored": stored, "stretch": stretch, "colours": _channels(path, colours)}
    recipe = " ".join(filter(None, (axes, kind, stored)))
    if suffix == ".npy":
        data = _arrays.from_arrays(path, {"images": _arrays.read_npy(path)}, axes, kind, how)
        return _stored(path, data, recipe)
    if suffix == ".npz":
        if _published.found(path) and not recipe:
            return dsprites.load(str(path))
        data = _arrays.from_arrays(path, _arrays.read_npz(path), axes, kind, how)
        with _arrays.open_zip(path) as archive:
            names = [name.removesuffix(".npy") for name in archive.namelist()]
        return replace(data, remarks=(*data.remarks, *_arrays.passed_over(names, data.remarks)))
    arrays = _arrays.read_h5(path)
    if shapes3d.found(arrays) and not recipe:
        return shapes3d.from_arrays(path, arrays)
    if _published.found(path) and not recipe:
        return dsprites.load(str(path))
    data = _arrays.from_arrays(path, arrays, axes, kind, how)
    held = [key if key in arrays else f"{key}/" for key in next(iter(arrays.values())).dataset.file]
    return replace(_stored(path, data, recipe), remarks=(*data.remarks, *_arrays.passed_over(held, data.remarks)))


def _stored(path: Path, data: Dataset, recipe: str) -> Dataset:
    """The data set whose samples, read by index, are hashed once as long as the file stays as it is."""
    return replace(data, read=Known(data.read, lambda: of_stored(path, data.read, data.shape, recipe)))


def _channels(path: Path, colours: object) -> tuple[int, ...]:
    """The channels in ``colours=4x2x1``, or in ``colours=2``."""
    numbers = (colours,) if isinstance(colours, int) else colours
    if not isinstance(numbers, tuple) or not all(isinstance(each, int) for each in numbers):
        raise InputError(f"{path}: colours={colours!s:.20} is not valid; expected channels from 1, as in colours=4x2x1")
    return numbers
