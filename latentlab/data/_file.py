"""One file of arrays as a data set: a published one, known by what is in it, or a user's own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from latentlab.data import _arrays, _published, dsprites, shapes3d
from latentlab.data._fingerprint import Known, of_stored
from latentlab.data._samples import Wish
from latentlab.data.dataset import Dataset
from latentlab.errors import InputError


def load(
    path: Path,
    *,
    axes: str = "",
    kind: str = "",
    stored: str = "",
    stretch: str = "",
    colours: tuple[int, ...] = (),
) -> Dataset:
    """The samples of a file by index, with labels and factors where it has them.

    An ``.npz`` or ``.h5`` names its arrays ``images`` (or imgs, x, X, data), ``labels`` (or label, y), ``factors`` (or
    v: (n, k), level indices or values, NaN where missing), ``factor_names`` (k,), ``factor_kinds`` (k,). Factors
    without a kind are categorical where they are whole numbers and continuous elsewhere. ``.npy`` and ``.h5`` are read
    by index, an ``.npz`` as a whole. ``axes`` gives the order of the images' axes where it is another than (n, h, w),
    (n, h, w, c) or (n, c, h, w), or cannot be told from the shape: ``hwn``, ``hwcn``, ``hwc`` for one picture.

    ``kind=signal`` reads (n, t) or (n, c, t) as signals, as does an array called ``axis`` (t,) next to it, whose unit
    is ``axis_unit``; ``unit`` is that of the values, ``channel_names`` (c,) name channels. Images of uint8, flags and
    floats in [0, 1] are kept as bytes; images of other numbers as they are, and so are floats in [0, 1] with
    ``stored=float32``. ``stretch=asinh`` lets a model see the inverse hyperbolic sine of values in units of their
    noise. ``colours=4x2x1`` are the channels that a picture shows as red, green and blue.

    Raises `InputError` for other dtypes and shapes, NaN, pickled objects, and files that hold more or fewer bytes than
    they announce.
    """
    suffix, wish = path.suffix.lower(), Wish(axes, kind, stored, stretch, _numbers(path, colours))
    if suffix == ".npy":
        return _stored(path, _arrays.from_arrays(path, {"images": _arrays.read_npy(path)}, wish), wish)
    if suffix == ".npz":
        if _published.found(path) and not axes:
            return dsprites.load(str(path))
        data = _arrays.from_arrays(path, _arrays.read_npz(path), wish)
        with _arrays.open_zip(path) as archive:
            names = [name.removesuffix(".npy") for name in archive.namelist()]
        return replace(data, remarks=(*data.remarks, *_arrays.passed_over(names)))
    arrays = _arrays.read_h5(path)
    if shapes3d.found(arrays) and not axes:
        return shapes3d.from_arrays(path, arrays)
    if _published.found(path) and not axes:
        return dsprites.load(str(path))
    data = _arrays.from_arrays(path, arrays, wish)
    file = next(iter(arrays.values())).dataset.file
    return replace(_stored(path, data, wish), remarks=(*data.remarks, *_arrays.passed_over(file)))


def _stored(path: Path, data: Dataset, wish: Wish) -> Dataset:
    """The data set whose samples, read by index, are hashed once as long as the file stays as it is."""
    return replace(data, read=Known(data.read, lambda: of_stored(path, data.read, data.shape, str(wish))))


def _numbers(path: Path, colours: object) -> tuple[int, ...]:
    """The channels in ``colours=4x2x1``, or in ``colours=2``."""
    found = (colours,) if isinstance(colours, int) else colours
    if not isinstance(found, tuple) or not all(isinstance(each, int) for each in found):
        raise InputError(f"{path}: colours={colours!s:.20} is not valid; expected channels from 1, as in colours=4x2x1")
    return found
