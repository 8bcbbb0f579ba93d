"""``latentlab explain``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from latentlab.cli import _console, _runs
from latentlab.errors import InputError
from latentlab.system.files import refuse_busy, write_bytes

if TYPE_CHECKING:
    import pandas as pd

    from latentlab.runs.run import Run
    from latentlab.system.progress import Progress

PANEL = "Ask one question"


def explain(
    paths: _console.Paths,
    rows: Annotated[
        int, typer.Option(min=1, help="Maximum number of rows whose codes are perturbed, chosen at random.")
    ] = 32,
    steps: Annotated[int, typer.Option(min=3, help="Number of samples along each path.")] = 33,
    seed: Annotated[int, _console.seed("Seed for the choice of codes")] = 0,
    out: Annotated[
        Path | None,
        _console.file_to_write("CSV file to write: the features that each dimension raises and lowers", ".csv"),
    ] = None,
    top: Annotated[
        int | None,
        typer.Option(min=1, help="With --out: number of rising and of falling features per dimension; all by default."),
    ] = None,
    names: Annotated[
        str | None,
        typer.Option(
            metavar="FILE.py:NAME", help="Python file and the function in it that proposes names. The file is executed."
        ),
    ] = None,
    data: _console.RunData = None,
    adapter: _console.Adapter = None,
    json: _console.Json = False,
    quiet: _console.Quiet = False,
) -> None:
    """Measure what each latent dimension changes in decoded samples, and name it where the data support a name.

    A dimension earns a name, such as x position, if this attribute separates held-out rows with high codes from those
    with low codes (AUROC of at least 0.8), and does so better than it does for permuted and for rotated codes.

    Example: latentlab explain artifacts/digits

    Gene lists: latentlab explain runs/pbmc -o genes.csv --top 50
    """
    if top is not None and out is None:
        raise InputError("--top is for the rows of --out FILE; add it or leave --top out")
    refuse_busy(*paths)
    from latentlab.analysis.explain.stage import explain as measure
    from latentlab.analysis.explain.table import features
    from latentlab.data import load
    from latentlab.runs.comparison import csv_of

    options: dict[str, Any] = {"rows": rows, "steps": steps, "seed": seed, "adapter": adapter}
    samples = None if data is None else load(data)
    naming: dict[str, Any] = {"data": samples, "plugin": names, "seed": seed}
    outcome = _runs.each_run(
        paths, "explain", lambda run, report: _both(run, options, naming, report, out), quiet=quiet or json
    )
    if out is not None and outcome.done:
        tables = {run.name: features(run, measure(run, **options), top) for run, _ in outcome.done}
        write_bytes(out, csv_of(joined(tables)))
    if json:
        outcome.show_json(lambda table: {"dimensions": table.to_dict("records")})
    for run, table in [] if json else outcome.done:
        named = {"run": run.name} if len(outcome.done) > 1 else {}
        _console.table([named | _shown(row) for row in table.to_dict("records")])
        if not quiet:
            _console.show("\n".join(_remarks(run, table)))
    if out is not None and outcome.done and not quiet and not json:
        _console.show(f"Saved the features that each dimension moves to {out}")
    outcome.end()


def _both(
    run: Run, options: Mapping[str, Any], naming: Mapping[str, Any], report: Progress, out: Path | None
) -> pd.DataFrame:
    """The table of effects and names, of either alone where the other cannot be had; its ``attrs`` say why."""
    from latentlab.analysis.explain import STAGE
    from latentlab.analysis.explain.stage import explain as measure
    from latentlab.analysis.explain.table import check_features, explained
    from latentlab.analysis.names.stage import names
    from latentlab.models import load_model

    if out is not None:
        check_features(run)
    lacks, unnamed = STAGE.lacks(run), ""
    if not lacks:
        load_model(run, options["adapter"])  # what it refuses is refused before names are sought
    try:
        unnamed = str(names(run, **naming, progress=report).settings.get("missing", ""))
    except InputError as error:
        if lacks or naming["plugin"] is not None or naming["data"] is not None:
            raise
        unnamed = str(error)
    effects = None if lacks else measure(run, **options)
    table = explained(run, effects)
    table.attrs |= {"lacks": lacks, "unnamed": unnamed}
    return table


def _shown(row: Mapping[Any, Any]) -> dict[str, Any]:
    """The columns of a row that fit a terminal."""
    left_out = {"index", "straightness_low", "straightness_high", "mi_low", "mi_high", "named_by", "why"}
    left_out |= {"detection_low", "detection_high"}
    return {
        **{k: v for k, v in row.items() if k not in left_out},
        "name": row["name"] or ("no name earned" if row["why"] else ""),
    }


def _remarks(run: Run, table: pd.DataFrame) -> list[str]:
    """What the columns mean, why dimensions have no name, and what could not be measured."""
    found = [f"no effects: {table.attrs['lacks']}"] if table.attrs["lacks"] else []
    if not found:
        found.append(
            f"around {table.attrs['rows']} codes; strength: {_strength(run)} per standard deviation of the code"
        )
    if table.attrs["unnamed"]:
        found.append(f"attributes of the samples were not measured: {table.attrs['unnamed']}")
    if table["detection"].notna().any():
        found.append(
            "detection: AUROC of high against low codes by the attribute; hard: the same among otherwise similar rows"
        )
    unnamed = table[(table["why"] != "") & (table["active"] != False) & (table["name"] == "")]  # noqa: E712
    return [*found, *(f"{row.dim} earned no name: {row.why}" for row in unnamed.itertuples())]


def _strength(run: Any) -> str:
    """What the strength of a dimension is measured in."""
    if run.config.form.kind == "image":
        return "change of a pixel, as a share of its range,"
    return "change of the model's input" if run.config.form.kind != "counts" else "change of the expected counts"


def joined(tables: Mapping[str, Any]) -> Any:
    """The tables of several runs as one, with the run's name as first column where there are several."""
    import pandas as pd

    named = [table if len(tables) == 1 else table.assign(run=name)[["run", *table]] for name, table in tables.items()]
    return pd.concat(named, ignore_index=True)
