"""One file of arrays as a data set: a published one, known by what is in it, or a user's own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from latentlab.data import _arrays, _published, dsprites, shapes3d
from latentlab.data._fingerprint import Known, of_stored
from latentlab.data.dataset import Dataset


def load(path: Path, *, axes: str = "", kind: str = "") -> Dataset:
    """The samples of a file by index, with labels and factors where it has them.

    An ``.npz`` or ``.h5`` names its arrays ``images`` (or imgs, x, X, data), ``labels`` (or label, y), ``factors`` (or
    v: (n, k), level indices or values, NaN where missing), ``factor_names`` (k,), ``factor_kinds`` (k,). Factors
    without a kind are categorical where they are whole numbers and continuous elsewhere. ``.npy`` and ``.h5`` are read
    by index, an ``.npz`` as a whole. ``axes`` gives the order of the images' axes where it is another than (n, h, w),
    (n, h, w, c) or (n, c, h, w), or cannot be told from the shape: ``hwn``, ``hwcn``, ``hwc`` for one picture. ``kind``
    says that samples are a ``table``, ``counts`` or a ``signal``, or images of any range, as does an array ``kind`` in
    the file; beside it stand ``feature_names`` (d,), ``axis`` (points,), ``axis_unit`` and ``unit``. Raises
    `InputError` for other dtypes and shapes, NaN, floats outside [0, 1], pickled objects, and files that hold more or
    fewer bytes than they announce.
    """
    suffix = path.suffix.lower()
    if suffix == ".npy":
        return _stored(
            path, _arrays.from_arrays(path, {"images": _arrays.read_npy(path)}, axes, kind), f"{axes} {kind}".strip()
        )
    if suffix == ".npz":
        if _published.found(path) and not axes and not kind:
            return dsprites.load(str(path))
        data = _arrays.from_arrays(path, _arrays.read_npz(path), axes, kind)
        with _arrays.open_zip(path) as archive:
            names = [name.removesuffix(".npy") for name in archive.namelist()]
        return replace(data, remarks=_arrays.passed_over(names))
    arrays = _arrays.read_h5(path)
    if shapes3d.found(arrays) and not axes and not kind:
        return shapes3d.from_arrays(path, arrays)
    if _published.found(path) and not axes and not kind:
        return dsprites.load(str(path))
    data = _arrays.from_arrays(path, arrays, axes, kind)
    file = next(iter(arrays.values())).dataset.file
    return replace(_stored(path, data, f"{axes} {kind}".strip()), remarks=_arrays.passed_over(file))


def _stored(path: Path, data: Dataset, axes: str) -> Dataset:
    """The data set whose images, read by index, are hashed once as long as the file stays as it is."""
    return replace(data, read=Known(data.read, lambda: of_stored(path, data.read, data.shape, axes)))
