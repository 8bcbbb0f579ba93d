"""What is known of log p(x), row by row: the ELBO, importance-weighted estimates, and exact values where there are any.

`latentlab.analysis.likelihood.compute` fills it; figures and tables read it. ``docs/likelihood.md`` says what the
numbers mean.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from latentlab.analysis.likelihood import STAGE
from latentlab.errors import InputError
from latentlab.results import Result, plain
from latentlab.runs.run import Run
from latentlab.system.files import check_format
from latentlab.system.hdf5 import numbers, publishing, reading
from latentlab.system.quarantine import apart

if TYPE_CHECKING:
    import pandas as pd

FORMAT = 1
(FILE,) = STAGE.files
INDEPENDENT = "independent"  # what settings say of files whose three terms share no sum
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Exact:
    """What quadrature over a latent space of two dimensions says of some rows: nats, one entry per row (m,).

    ``log_likelihood`` is log p(x), ``elbo`` the ELBO and ``gap`` = KL(q(z|x) ‖ p(z|x)), no two of them by the same sum,
    so that ``log_likelihood − elbo − gap`` shows an error in any one. An error of the model, which all three decode
    with, stays unseen. ``error`` bounds that of ``log_likelihood``.
    ``axes`` (r, 2, g) and ``posterior`` (r, g, g), rows along the second dimension, are p(z|x) of the first r rows;
    ``mean`` and ``variance`` (r, 2) are those of q(z|x).
    """

    row_ids: NDArray[np.int64]
    log_likelihood: Floats
    elbo: Floats
    gap: Floats
    error: Floats
    estimate: Floats
    axes: Floats
    posterior: Floats
    mean: Floats
    variance: Floats

    def __post_init__(self) -> None:
        m, r, g = len(self.row_ids), len(self.mean), self.axes.shape[-1]
        shown = {name: getattr(self, name).shape for name in ("axes", "posterior", "mean", "variance")}
        if shown != {"axes": (r, 2, g), "posterior": (r, g, g), "mean": (r, 2), "variance": (r, 2)} or r > m:
            raise InputError(f"posteriors have shapes {shown}; expected (r, 2, g), (r, g, g), (r, 2), (r, 2)")
        _same(m, self, ("log_likelihood", "elbo", "gap", "error", "estimate"))


@dataclass(frozen=True, eq=False)
class Evidence(Result):
    """Estimates of log p(x) of n rows, in nats, from K samples of q(z|x) each.

    Parameters
    ----------
    row_ids : array (n,)
        The ids of the rows.
    elbo : array (n,)
        The ELBO, with the KL in closed form.
    estimate : array (n,)
        log (1/K) Σ p(x, z_k)/q(z_k|x), a lower bound on log p(x) in expectation (Burda et al. 2016, equation 8).
    ess : array (n,)
        Its effective sample size, of K.
    counts : array (b,)
        Numbers of samples.
    bounds : array (b,)
        The mean over rows of that bound at so many samples.
    variance_sampled : array (n,)
        The variance over samples of the estimator of the ELBO at one sample, with the KL sampled (A).
    variance_closed : array (n,)
        The same with the KL in closed form (B).
    exact : Exact, optional
        There for a latent space of two dimensions.
    settings : mapping
        How it was computed.
    """

    row_ids: NDArray[np.int64]
    elbo: Floats
    estimate: Floats
    ess: Floats
    counts: NDArray[np.int64]
    bounds: Floats
    variance_sampled: Floats
    variance_closed: Floats
    exact: Exact | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _same(len(self.row_ids), self, ("elbo", "estimate", "ess", "variance_sampled", "variance_closed"))
        _same(len(self.counts), self, ("bounds",))

    def to_frame(self) -> pd.DataFrame:
        """The estimates as a table.

        Returns
        -------
        DataFrame
            One row per example: its row id, ELBO and estimate of log p(x) in nats, and effective sample size.
        """
        import pandas as pd

        columns = {"row": self.row_ids, "elbo": self.elbo, "log_likelihood": self.estimate, "ess": self.ess}
        return pd.DataFrame(columns)

    def to_json(self) -> dict[str, Any]:
        """The estimates as JSON.

        Returns
        -------
        dict
            The `summary` and the settings.
        """
        return {**plain(self.summary()), "settings": plain(self.settings)}

    def summary(self) -> dict[str, Any]:
        """The means over rows, ready for a table or JSON.

        Returns
        -------
        dict
            Numbers by name, with the standard error of the estimate's mean.
        """
        samples = int(self.settings["samples"])
        summary_of_rows: dict[str, Any] = {
            "rows": len(self.row_ids),
            "samples": samples,
            "elbo": float(self.elbo.mean()),
            "log_likelihood": float(self.estimate.mean()),
            "standard_error": float(self.estimate.std(ddof=1) / np.sqrt(len(self.estimate))),
            "ess": float(np.median(self.ess)),
            "ess_low": float(np.quantile(self.ess, 0.05)),
            "bounds": dict(zip(map(str, self.counts.tolist()), self.bounds.tolist(), strict=True)),
            "variance_sampled": float(self.variance_sampled.mean()),
            "variance_closed": float(self.variance_closed.mean()),
        }
        if "no_quadrature" in self.settings:
            summary_of_rows["no_quadrature"] = self.settings["no_quadrature"]
        if self.exact is not None:
            e = self.exact
            summary_of_rows["exact"] = {
                "rows": len(e.row_ids),
                "log_likelihood": float(e.log_likelihood.mean()),
                "elbo": float(e.elbo.mean()),
                "gap": float(e.gap.mean()),
                "identity_error": self._identity_error(e),
                "quadrature_error": float(e.error.max()),
                "estimate": float(e.estimate.mean()),
                "estimate_error": float(np.abs(e.estimate - e.log_likelihood).max()),
            }
        return summary_of_rows

    def _identity_error(self, exact: Exact) -> float:
        """How far log p(x) = ELBO + KL is from holding; NaN for older files, whose KL was made of log p(x)."""
        if self.settings.get("terms") != INDEPENDENT:
            return float("nan")
        return float(np.abs(exact.log_likelihood - exact.elbo - exact.gap).max())


def _same(n: int, held: Any, names: Sequence[str]) -> None:
    for name in names:
        if getattr(held, name).shape != (n,) or n == 0:
            raise InputError(f"{name} has shape {getattr(held, name).shape}; expected ({n},), at least one row")


def read_evidence(run: Run) -> Evidence:
    """What `latentlab likelihood` left in a run's folder; a `MissingError` says how to make it."""
    return load_evidence(STAGE.path(run))


def given_of(run: Run) -> str:
    """What log p(x) takes as known: the totals of counts, what the decoder is told; mostly nothing."""
    counted = ["library size"] if run.config.likelihood in ("negative-binomial", "poisson") else []
    return ", ".join([*counted, *(run.config.conditions.names if run.config.conditions else ())])


def save_evidence(path: Path, evidence: Evidence, inputs: Mapping[str, Any]) -> None:
    """Publish ``likelihood.h5``; ``inputs`` records what it was made from."""
    with publishing(path) as file:
        file.attrs["format"] = FORMAT
        file.attrs["inputs"] = json.dumps(inputs, sort_keys=True)
        file.attrs["settings"] = json.dumps(evidence.settings, sort_keys=True)
        _write(file, evidence)
        if evidence.exact is not None:
            _write(file.create_group("exact"), evidence.exact)


def _write(group: Any, held: Any) -> None:
    for each in fields(held):
        value = getattr(held, each.name)
        if isinstance(value, np.ndarray):
            group.create_dataset(each.name, data=value, compression="gzip" if value.size > 10_000 else None)


@apart(Evidence, Exact)
def load_evidence(path: Path) -> Evidence:
    """The evidence in a ``likelihood.h5``; an `InputError` names what is missing."""
    with reading(path, "log-likelihoods") as file:
        check_format(int(file.attrs["format"]), FORMAT, path)
        settings = dict(json.loads(file.attrs["settings"]))
        settings["samples"] = int(settings["samples"])
        exact = Exact(**_read(file["exact"], Exact, path)) if "exact" in file else None
        return Evidence(**_read(file, Evidence, path), exact=exact, settings=settings)


def _read(group: Any, kind: type[Any], path: Path) -> dict[str, NDArray[Any]]:
    names = [each.name for each in fields(kind) if each.name not in ("exact", "settings")]
    missing = [name for name in names if name not in group]
    if missing:
        raise InputError(f"{path} has no {missing[0]}; recompute it: `latentlab likelihood {path.parent}`")
    return {name: numbers(group[name]) for name in names}
