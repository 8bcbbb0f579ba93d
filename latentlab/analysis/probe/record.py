"""Few-label curves in ``probes.json``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from latentlab.analysis.probe import STAGE
from latentlab.analysis.probe.measure import Curve
from latentlab.results import Result, plain
from latentlab.runs.run import Run
from latentlab.system.validation import validate

if TYPE_CHECKING:
    import pandas as pd

(FILE,) = STAGE.files


@dataclass(frozen=True, eq=False)
class Probes(Result, Mapping[str, Curve]):
    """Few-label curves by estimator: ``probes["linear"].accuracy``.

    Parameters
    ----------
    curves : mapping of Curve
        By estimator.
    settings : mapping
        Factor, sizes, draws and seed.
    """

    curves: Mapping[str, Curve]
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, estimator: str) -> Curve:
        return self.curves[estimator]

    def __iter__(self) -> Iterator[str]:
        return iter(self.curves)

    def __len__(self) -> int:
        return len(self.curves)

    def to_json(self) -> dict[str, Any]:
        """The curves as JSON.

        Returns
        -------
        dict
            ``curves`` by estimator, and ``settings``.
        """
        return plain({"curves": {name: curve.to_json() for name, curve in self.items()}, "settings": self.settings})

    def to_frame(self) -> pd.DataFrame:
        """The curves as a table.

        Returns
        -------
        DataFrame
            One row per estimator and number of labelled rows per class.
        """
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    "estimator": name,
                    "factor": curve.factor,
                    "labels_per_class": size,
                    "accuracy": mean,
                    "low": low,
                    "high": high,
                }
                for name, curve in self.items()
                for size, mean, low, high in zip(curve.sizes, curve.accuracy, curve.low, curve.high, strict=True)
            ]
        )


class _Kept(BaseModel):
    """What is read of a ``probes.json``."""

    curves: dict[str, Curve]
    inputs: dict[str, Any] = {}


def load_probes(run: Run) -> Probes:
    """The curves in the run's ``probes.json``, by estimator."""
    found: _Kept = validate(_Kept, STAGE.record(run), str(run.path / FILE), f"recompute it: `{STAGE.again(run)}`")
    return Probes(found.curves, found.inputs)
