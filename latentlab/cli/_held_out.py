"""What ``latentlab score --hold-out`` shows: each metric on combinations held out for fitting, and on other rows."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from latentlab.cli import _console
from latentlab.errors import InputError

if TYPE_CHECKING:
    from latentlab.analysis.score.arrays import Arrays
    from latentlab.analysis.score.hold_out import HeldOut


def show_held_out(
    path: Path | None, arrays: "Arrays | None", given: list[str], metrics: Any, profile: str, *, json: bool
) -> None:
    """Compute and show the scores of a run, a file of codes, or arrays with factors."""
    options = {"metrics": metrics, "profile": profile}
    found = _of_arrays(arrays, given, options) if arrays is not None else _of_run(path or Path(), given, options)
    if json:
        _console.show_json(found.to_json())
        return
    _console.table([_row(name, entry) for name, entry in found.scores.items()])
    rows = found.settings["rows"]
    scored = f"scored on {rows['in_distribution']:,} other rows and on {rows['held_out']:,} rows held out"
    _console.show(f"Fitted to {rows['train']:,} rows without the combinations; {scored}.")
    for name in found.settings["constant_among_held_out"]:
        _console.show(f"{name} has one level among the rows held out: only probes count it.")
    for name, why in found.skipped.items():
        _console.show(f"{name} was skipped: {why}")


def _row(name: str, entry: dict[str, Any]) -> dict[str, Any]:
    parts = ", ".join(
        f"{part} {_console.cell(each['in_distribution'])} → {_console.cell(each['held_out'])}"
        for part, each in entry["parts"].items()
    )
    return {
        "metric": name,
        "in distribution": entry["in_distribution"],
        "held out": entry["held_out"],
        "difference": entry["difference"],
        "parts": parts,
    }


def _of_run(path: Path, given: list[str], options: dict[str, Any]) -> "HeldOut":
    from latentlab.analysis.score.stage import hold_out_codes
    from latentlab.codes.h5ad import load_codes
    from latentlab.runs.run import Run

    codes = load_codes(path) if path.suffix.lower() == ".h5ad" else Run(path).codes()
    return hold_out_codes(codes, _levels(given), **options)


def _of_arrays(arrays: "Arrays", given: list[str], options: dict[str, Any]) -> "HeldOut":
    from latentlab.analysis.score.hold_out import hold_out, named

    if arrays.factors is None or arrays.test is not None:
        raise InputError("--hold-out needs one array of codes and one of factors, which it splits; give --factors FILE")
    about = {"factor_names": arrays.names, "kinds": arrays.kinds, **options}
    return hold_out(arrays.codes, arrays.factors, named(_levels(given), arrays.specs), **about)


def _levels(given: list[str]) -> dict[str, list[str]]:
    """``["shape=heart", "scale=1,2"]`` as ``{"shape": ["heart"], "scale": ["1", "2"]}``."""
    found: dict[str, list[str]] = {}
    for each in given:
        name, sign, levels = each.partition("=")
        texts = [text.strip() for text in levels.split(",")]
        if not sign or not name.strip() or not all(texts) or name.strip() in found:
            raise InputError(f"--hold-out is {each[:60]!r}; expected FACTOR=LEVEL,… once per factor, as in scale=4,5")
        found[name.strip()] = texts
    return found
