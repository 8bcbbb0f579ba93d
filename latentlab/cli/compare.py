"""``latentlab compare``."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from latentlab.cli import _console, _runs

PANEL = "Analyse"
_COSTS = ("distortion", "rate", "elbo", "active_units")


def compare(
    paths: _console.Paths,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Write a row a run as .csv, or a row a setting as .tex.")
    ] = None,
    metric: Annotated[str | None, typer.Option(help="Metrics to show, as in mig,dci; all by default.")] = None,
    json: _console.Json = False,
    quiet: _console.Quiet = False,
) -> None:
    """Compare the settings of a study: what each β cost and what it brought, how far its seeds differ and agree.

    Example: latentlab compare artifacts/digits-study

    Example: latentlab compare artifacts/digits-study --metric mig,sap -o table.tex
    """
    from latentlab.analysis.score.agreement import by_setting
    from latentlab.errors import InputError
    from latentlab.reports.latex import latex
    from latentlab.runs.comparison import check_comparable, csv_of, errors_of, summarise
    from latentlab.runs.comparison import compare as tabulate
    from latentlab.runs.study import Study, open_path
    from latentlab.system.files import write_bytes

    writers = {".csv": csv_of, ".tex": lambda table: latex(table).encode()}
    if out is not None and out.suffix not in writers:
        raise InputError(f"{out} ends in {out.suffix or 'nothing'}; expected .csv (a row a run) or .tex (a setting)")
    opened = [open_path(path) for path in paths]
    check_comparable(run for each in opened for run in (each if isinstance(each, Study) else [each]))
    found = tabulate(opened, metrics=_console.metrics(metric))
    agreement = by_setting(found)
    settings = [row | agreement[row["setting"]] for row in summarise(found).to_dict("records")]
    if out is not None:
        write_bytes(out, writers[out.suffix](found))
    outcome: _runs.Outcome[None] = _runs.Outcome((), {Path(path): why for path, why in errors_of(found).items()})
    if json:
        outcome.show_entries(found.to_dict("records"), settings=settings)
        outcome.end()
        return
    metrics = found.attrs["metrics"]
    columns = ["run", *_COSTS, *metrics, "flags"]
    _console.table(found[[key for key in columns if key in found]].to_dict("records"))
    if not quiet:
        _console.show("\nBy setting, the mean over its seeds (the lowest to the highest):")
        shared = sorted({key for each in agreement.values() for key in each})
        rows: list[tuple[str, Callable[[dict[Any, Any]], str]]] = [("seeds", lambda row: str(row["n"]))]
        rows += [("normalised_beta", partial(_shared, key="normalised_beta"))]
        rows += [(key, partial(_spread, key=key)) for key in (*_COSTS, *metrics)]
        rows += [(key, partial(_shared, key=key)) for key in shared]
        _console.table([{"": name, **{row["setting"]: of(row) for row in settings}} for name, of in rows])
    outcome.end()


def _spread(row: dict[Any, Any], key: str) -> str:
    """A setting's mean, with the range over its seeds where there are several."""
    mean, low, high = (_console.cell(row.get(f"{key}_{part}")) for part in ("mean", "min", "max"))
    return mean if row["n"] == 1 or mean == "–" else f"{mean} ({low} to {high})"


def _shared(row: dict[Any, Any], key: str) -> str:
    """What a setting has as a whole."""
    return _console.cell(row.get(key))
