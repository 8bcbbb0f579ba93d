"""``latentlab compare``."""

from pathlib import Path
from typing import Annotated, Any

import typer

from latentlab.cli import _console

PANEL = "Analyse"
_COSTS = ("distortion", "rate", "elbo", "active_units")


def compare(
    paths: _console.Paths,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Write the table as .csv.")] = None,
    json: _console.Json = False,
    quiet: _console.Quiet = False,
) -> None:
    """Compare the settings of a study: what each β cost and what it brought, how far its seeds differ and agree.

    Example: latentlab compare artifacts/digits-study
    """
    from latentlab.agreement import by_setting
    from latentlab.comparison import compare as tabulate
    from latentlab.comparison import summarise, write_csv
    from latentlab.runs import open_path

    found = tabulate([open_path(path) for path in paths])
    agreement = by_setting(found)
    settings = [row | agreement[row["setting"]] for row in summarise(found).to_dict("records")]
    if out is not None:
        write_csv(out, found)
    if json:
        _console.show_json({"runs": found.to_dict("records"), "settings": settings})
        return
    metrics = found.attrs["metrics"]
    columns = ["run", *_COSTS, *metrics, "flags"]
    _console.table(found[[key for key in columns if key in found]].to_dict("records"))
    if not quiet:
        _console.show("\nBy setting, the mean over its seeds (the lowest to the highest):")
        shared = sorted({key for each in agreement.values() for key in each})
        _console.table([_by_setting(row, [*_COSTS, *metrics], shared) for row in settings])


def _by_setting(row: dict[Any, Any], keys: list[str], shared: list[str]) -> dict[str, Any]:
    """A setting's means with the range over its seeds where there are several, and what compares the seeds."""
    alike = {key: row.get(key) for key in shared}
    return {"setting": row["setting"], "seeds": row["n"], **{key: _spread(row, key) for key in keys}, **alike}


def _spread(row: dict[Any, Any], key: str) -> str:
    mean, low, high = (_console.cell(row.get(f"{key}_{part}")) for part in ("mean", "min", "max"))
    return mean if row["n"] == 1 or mean == "–" else f"{mean} ({low} to {high})"
