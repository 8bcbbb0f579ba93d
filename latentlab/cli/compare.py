"""``latentlab compare``."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from latentlab.cli import _console, _runs

if TYPE_CHECKING:
    import pandas as pd

    from latentlab.runs.choice import Choice
    from latentlab.runs.recurring import Recurring

PANEL = "Analyse"
ABREAST = 12  # settings that a table has as columns
_COSTS = ("distortion", "rate", "elbo", "active_units")


def compare(
    paths: _console.Paths,
    out: Annotated[
        Path | None,
        _console.file_to_write("File to write", ".csv (one row per run)", ".tex (one row per setting)"),
    ] = None,
    metric: Annotated[str | None, typer.Option(help="Metrics to show, such as mig,dci; all by default.")] = None,
    json: _console.Json = False,
    quiet: _console.Quiet = False,
) -> None:
    """Compare the settings of a study: costs, scores, spread over seeds, which is best, which dimensions recur.

    Example: latentlab compare artifacts/digits

    Example: latentlab compare artifacts/digits --metric mig,sap -o table.tex
    """
    from latentlab.analysis.score.agreement import by_setting
    from latentlab.runs.choice import better, choices
    from latentlab.runs.comparison import check_comparable, errors_of, summarise
    from latentlab.runs.comparison import compare as tabulate
    from latentlab.runs.study import Study, open_path

    opened = [open_path(path) for path in paths]
    check_comparable(run for each in opened for run in (each if isinstance(each, Study) else [each]))
    table = tabulate(opened, metrics=_console.metrics(metric))
    if out is not None:
        _write(table, out)
    outcome: _runs.Outcome[None] = _runs.Outcome((), {Path(path): why for path, why in errors_of(table).items()})
    if quiet and not json:
        _show_runs(table)
        outcome.end()
        return
    agreement = by_setting(table)
    judged = choices(table, None if metric is None else [name for name in table.attrs["metrics"] if better(name)])
    settings = [row | agreement[row["setting"]] for row in summarise(table).to_dict("records")]
    if json:
        outcome.show_entries(table.to_dict("records"), settings=settings, **_findings(table, judged))
    else:
        _show_all(table, settings, sorted({key for each in agreement.values() for key in each}), judged)
    outcome.end()


def _write(table: "pd.DataFrame", out: Path) -> None:
    """The table as the kind of file that its ending says; drawing in LaTeX is imported for .tex alone."""
    from latentlab.runs.comparison import csv_of
    from latentlab.system.files import write_bytes

    if out.suffix == ".csv":
        write_bytes(out, csv_of(table))
    else:
        from latentlab.reports.latex import latex

        write_bytes(out, latex(table).encode())


def _findings(table: "pd.DataFrame", judged: "Sequence[Choice]") -> dict[str, Any]:
    """What the study says, as JSON has it."""
    from latentlab.runs.answers import answers
    from latentlab.runs.recurring import recurring_in
    from latentlab.runs.resolution import unresolved

    groups = recurring_in(table)
    return {
        "choices": [each.to_json() for each in judged],
        "recurring": groups.to_json(),
        "caveats": [*table.attrs["caveats"], *(asdict(each) for each in unresolved(table, judged))],
        "answers": [asdict(each) for each in answers(table, judged, groups)],
        "left_out": table.attrs["left_out"],
    }


def _show_runs(table: "pd.DataFrame") -> None:
    columns = ["run", *_COSTS, *table.attrs["metrics"], "flags"]
    _console.table(table[[key for key in columns if key in table]].to_dict("records"))


def _show_all(
    table: "pd.DataFrame", settings: list[dict[Any, Any]], shared: list[str], judged: "Sequence[Choice]"
) -> None:
    """The answers, the runs, the settings, and what is to be doubted; `shared` is what a setting has as a whole."""
    from latentlab.results import Caveat
    from latentlab.runs.answers import answers
    from latentlab.runs.recurring import MOST_RUNS, recurring_in
    from latentlab.runs.resolution import unresolved

    recurs = recurring_in(table)
    for each in answers(table, judged, recurs):
        _console.show(f"{each.question} {each.sentence}")
    _console.show("")
    _show_runs(table)
    _show_settings(settings, table.attrs["metrics"], shared)
    if len(table) > MOST_RUNS:
        _console.show(
            f"cka, procrustes and udr are left out, as there are over {MOST_RUNS} runs: name those of a setting."
        )
    _show_choices(judged)
    _show_recurring(recurs)
    for warned in table.attrs["caveats"]:
        runs = f"{len(warned['runs'])} run{'s' * (len(warned['runs']) > 1)}"
        _console.show(f"warning, {runs}: {Caveat.from_json(warned)}")
    for caveat in unresolved(table, judged):
        _console.show(f"warning: {caveat}")
    for name, why in table.attrs["left_out"].items():
        _console.show(f"warning: the folder {name} is left out: {why}")


def _show_settings(settings: list[dict[Any, Any]], metrics: Sequence[str], shared: list[str]) -> None:
    """What each setting costs and gains: one column each, or one row each of means where there are many."""
    if len(settings) > ABREAST:
        _console.show(f"\nMean per setting over seeds, of {len(settings)} settings (--json has ranges):")
        keys = {"seeds": "n", **{key: f"{key}_mean" for key in (*_COSTS, *metrics)}, **{key: key for key in shared}}
        _console.table(
            [{"setting": row["setting"], **{name: row.get(key) for name, key in keys.items()}} for row in settings]
        )
        return
    _console.show("\nMean per setting over seeds (range):")
    rows: list[tuple[str, Callable[[dict[Any, Any]], str]]] = [("seeds", lambda row: str(row["n"]))]
    rows += [("normalised_beta", partial(_shared, key="normalised_beta"))]
    rows += [(key, partial(_spread, key=key)) for key in (*_COSTS, *metrics)]
    rows += [(key, partial(_shared, key=key)) for key in shared]
    _console.table([{"": name, **{row["setting"]: of(row) for row in settings}} for name, of in rows])


def _show_choices(judged: "Sequence[Choice]") -> None:
    """Which setting is best by each score, and how far it lies from the others."""
    from latentlab.runs.verdicts import NOTE, difference_rows, middle_rows, sentences

    judged = [each for each in judged if each.differences]
    if not judged:
        return
    _console.show("\nWhich setting is best:")
    for line in sentences(judged, str):
        _console.show(line)
    for rows in (difference_rows, middle_rows):
        _console.show("")
        _console.table([{"": each.measure, **row} for each in judged for row in rows(each)])
    _console.show(f"\n{NOTE}")


def _show_recurring(found: "Recurring") -> None:
    """Which dimensions recur over the seeds of each setting."""
    from latentlab.runs.recurring import NOTE, not_recurring, recurring_rows

    _console.show("\nWhich dimensions recur over seeds:")
    rows = recurring_rows(found)
    if rows:
        _console.table(rows)
    for line in not_recurring(found):
        _console.show(line)
    if rows:
        _console.show(NOTE)


def _spread(row: dict[Any, Any], key: str) -> str:
    """A setting's mean, with the range over its seeds where there are several."""
    mean, low, high = (_console.cell(row.get(f"{key}_{part}")) for part in ("mean", "min", "max"))
    return mean if row["n"] == 1 or mean == "–" else f"{mean} ({low} to {high})"


def _shared(row: dict[Any, Any], key: str) -> str:
    """What a setting has as a whole."""
    return _console.cell(row.get(key))
