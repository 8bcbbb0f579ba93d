"""What moving one latent dimension does to the picture: where, how strongly, and along how straight a path."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from latentlab.analysis.explain import STAGE
from latentlab.codes.symbols import symbols
from latentlab.errors import InputError
from latentlab.results import Result, plain
from latentlab.runs.run import Run
from latentlab.system.files import check_format
from latentlab.system.hdf5 import numbers, publishing, reading
from latentlab.system.quarantine import apart

if TYPE_CHECKING:
    import pandas as pd

(FILE,) = STAGE.files
FORMAT = 1
MEASURED, SIGNED = ("local", "strength", "changed", "straightness"), ("shift", "typical")
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Effects(Result):
    """What each of d latent dimensions does around m codes of the data.

    ``local`` and ``strength`` are per standard deviation of the code, so its free scale changes nothing.

    Parameters
    ----------
    local : array (d, h, w)
        The exact derivative of the picture, |∂x/∂z_j| times the standard deviation of z_j over the data, the mean over
        the m codes and over channels: the change of a pixel, in [0, 1] of its range, that one standard deviation would
        make if the decoder went on straight.
    strength : array (d,)
        The root mean square of that over pixels, codes and channels.
    changed : array (d, h, w)
        How far each pixel goes on the whole path from the 2.5 % to the 97.5 % quantile of z_j, back and forth counted,
        the mean over codes and channels.
    straightness : array (d, m)
        The length of the straight line between the ends of that path over the path's own, in (0, 1], NaN where nothing
        changes.
    settings : mapping
        How it was computed.
    shift : array (3, d, *shape), optional
        Of samples other than images: how each feature changes from the low end of the path to the high one, with its
        sign, the mean over the m codes and the ends of its 95 % interval (Student's t, pointwise: nothing is done about
        the number of features). In the values' own units; of counts log₂ of the fold. None for images, and in older
        files.
    typical : array (*shape), optional
        The mean of what the m codes decode to; None for images, and in older files.
    """

    local: NDArray[np.float32]
    strength: Floats
    changed: NDArray[np.float32]
    straightness: Floats
    settings: Mapping[str, Any] = field(default_factory=dict)
    shift: NDArray[np.float32] | None = None
    typical: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        d, (*_, m) = len(self.strength), self.straightness.shape
        if self.local.ndim < 2 or not self.local.size or self.changed.shape != self.local.shape:
            raise InputError(f"local is {self.local.shape}, changed {self.changed.shape}; expected (d, places) both")
        if self.local.shape[0] != d or self.strength.shape != (d,) or self.straightness.shape != (d, m):
            came = f"strength is {self.strength.shape}, straightness {self.straightness.shape}"
            raise InputError(f"{came}, local {self.local.shape}; expected (d,), (d, m) and (d, places)")
        if self.shift is not None and (self.typical is None or self.shift.shape != (3, d, *self.typical.shape)):
            what = None if self.typical is None else self.typical.shape
            raise InputError(f"shift is {self.shift.shape}, typical {what}; expected (3, {d}, *shape) and (*shape)")

    def to_frame(self) -> pd.DataFrame:
        """The effects as a table.

        Returns
        -------
        DataFrame
            One row per latent dimension: strength, its share, area and mean straightness.
        """
        import pandas as pd

        total = self.strength.sum()
        share = self.strength / total if total else self.strength
        bent = [np.nanmean(each) if np.isfinite(each).any() else np.nan for each in self.straightness]
        dims = symbols(len(share))
        columns = {"dim": dims, "strength": self.strength, "strength_share": share, "area": self.area}
        return pd.DataFrame({**columns, "straightness": bent})

    def to_json(self) -> dict[str, Any]:
        """The effects as JSON, without the images.

        Returns
        -------
        dict
            The rows of `to_frame` as ``dimensions``, and the settings.
        """
        return {"dimensions": plain(self.to_frame().to_dict("records")), "settings": plain(self.settings)}

    @property
    def area(self) -> Floats:
        """The share of the picture (d,) that a dimension acts on, in (0, 1]: the participation ratio of ``local``.

        1 where all pixels change alike, 1/pixels where one does; NaN where none does.
        """
        flat = self.local.reshape(len(self.local), -1).astype(np.float64)
        square = (flat**2).sum(axis=1) * flat.shape[1]
        return np.asarray(np.where(square > 0, flat.sum(axis=1) ** 2 / np.where(square > 0, square, 1), np.nan))


def straightness(path: NDArray[np.floating]) -> Floats:
    """Chord over arc of paths (…, steps, pixels): 1 for a straight line, less the more it bends; NaN for no movement.

    A straight path is a cross-fade: each pixel goes from its first value to its last. A thing that moves through the
    picture makes a path that bends, so neither end of the range is the better one.

    >>> float(straightness(np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]])).round(3))
    0.707
    """
    if path.ndim < 2 or path.shape[-2] < 2:
        raise InputError(f"path is {path.shape}; expected (…, steps, pixels) of at least two steps")
    arc = np.linalg.norm(np.diff(path.astype(np.float64), axis=-2), axis=-1).sum(axis=-1)
    chord = np.linalg.norm(path[..., -1, :].astype(np.float64) - path[..., 0, :], axis=-1)
    return np.asarray(np.where(arc > 0, chord / np.where(arc > 0, arc, 1), np.nan))[()]


def save_effects(path: Path, effects: Effects, inputs: Mapping[str, Any]) -> None:
    """Publish ``effects.h5``; ``inputs`` records what it was made from."""
    with publishing(path) as file:
        file.attrs["format"] = FORMAT
        file.attrs["inputs"] = json.dumps(inputs, sort_keys=True)
        file.attrs["settings"] = json.dumps(effects.settings, sort_keys=True)
        for name in (*MEASURED, *SIGNED):
            if getattr(effects, name) is not None:
                file.create_dataset(name, data=getattr(effects, name))


def effects_of(run: Run) -> Effects:
    """What the run's ``effects.h5`` holds."""
    return load_effects(STAGE.path(run))


@apart(Effects)
def load_effects(path: Path) -> Effects:
    """The effects in an ``effects.h5``."""
    with reading(path, "effects") as file:
        check_format(int(file.attrs["format"]), FORMAT, path)
        arrays = {name: numbers(file[name]) for name in (*MEASURED, *SIGNED) if name in file or name in MEASURED}
        return Effects(**arrays, settings=dict(json.loads(file.attrs["settings"])))
