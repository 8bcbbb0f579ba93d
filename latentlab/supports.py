"""What a survey left in a run's folder, and many of them as one table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latentlab.decodings import Decodings, load_decodings
from latentlab.errors import InputError, MissingError
from latentlab.files import read_json
from latentlab.runs import Run

if TYPE_CHECKING:
    import pandas as pd

FORMAT = 1  # support.json and support.h5
SHEET = 24
ARMS = {
    "prior": "N(0, I)",
    "gaussian": "normal fitted to the codes",
    "aggregate": "aggregate posterior",
    "real": "real training images",
    "constant": "one constant image",
}
SHARES = ("precision", "coverage", "holes")


def numbers_path(run: Run) -> Path:
    """``support.json`` in the run's folder."""
    return run.path / "support.json"


def sheet_path(run: Run) -> Path:
    """``support.h5`` in the run's folder."""
    return run.path / "support.h5"


def read_support(run: Run) -> dict[str, Any]:
    """The numbers of `latentlab support`; a `MissingError` says how to make them."""
    found = read_json(_made(run, numbers_path(run)))
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise InputError(f"{numbers_path(run)} holds no support; make it anew: `latentlab support {run.path}`")
    return found


def read_sheet(run: Run) -> dict[str, Decodings]:
    """The pictures of `latentlab support`: samples by source, ways between codes, widest and narrowest rows."""
    return load_decodings(_made(run, sheet_path(run)))


def _made(run: Run, path: Path) -> Path:
    if not path.is_file():
        raise MissingError(f"{path} does not exist; make it with `latentlab support {run.path}`")
    return path


def support_table(runs: Sequence[Run]) -> pd.DataFrame:
    """One row a run: what its codes know, then each arm's measures as ``prior.coverage`` and so on; missing is NaN.

    ``run``, ``setting``, ``seed``; ``rate``, ``active_units``, ``probe``; precision, density, coverage and holes of
    every arm, with ``_low`` and ``_high``; ``detour``, ``jump``, ``distinctions``, ``widths``, ``gradient`` of the ways
    between codes; ``mmd``, ``gaussian_tc``, ``gaussian_kl`` of the fit to the prior; ``gap``, the test loss less the
    training loss in nats. Runs that were not measured are left out; where none was, a `MissingError` says how.
    """
    import pandas as pd

    measured = [run for run in runs if numbers_path(run).is_file()]
    if not measured:
        raise MissingError(f"{numbers_path(runs[0])} does not exist; make it with `latentlab support {runs[0].path}`")
    return pd.DataFrame([_row(run, read_support(run)) for run in measured])


def _row(run: Run, found: dict[str, Any]) -> dict[str, Any]:
    config = run.config
    row: dict[str, Any] = {"run": run.name, "setting": config.label, "seed": config.seed, "beta": config.beta}
    row |= {key: _number(found["information"].get(key)) for key in ("rate", "active_units", "probe", "knn")}
    for arm in ARMS:
        row |= {f"{arm}.{key}": _number(value) for key, value in found["arms"][arm].items()}
    row |= {key: _number(value) for key, value in found["between"].items()}
    row |= {key: _number((found["fit"] or {}).get(key)) for key in ("mmd", "mmd_null", "gaussian_tc", "gaussian_kl")}
    row |= {key: _number((found["memory"] or {}).get(key)) for key in ("gap", "gap_low", "gap_high")}
    return row | {"width": _number((found["widths"] or {}).get("median"))}


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)
