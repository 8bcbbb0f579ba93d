"""``latentlab score``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from latentlab.cli import _console
from latentlab.cli._held_out import show_held_out
from latentlab.errors import InputError, one_line
from latentlab.system.files import refuse_busy
from latentlab.system.streams import tell

if TYPE_CHECKING:
    from latentlab.analysis.score.arrays import Arrays
    from latentlab.analysis.score.scoring import Scores
    from latentlab.results import Score

PANEL = "Analyse"


def score(
    path: Annotated[
        Path | None, typer.Argument(metavar="[RUN_OR_CODES]", help="Run folder or codes.h5ad file.")
    ] = None,
    codes: Annotated[Path | None, typer.Option(help="File with codes: .npy, .npz, .csv, .parquet or .h5ad.")] = None,
    factors: Annotated[Path | None, typer.Option(help="File with factors, one row for each row of the codes.")] = None,
    header: Annotated[
        bool | None,
        typer.Option(
            "--header/--no-header", help="Whether the first line of tables holds column names; detected by default."
        ),
    ] = None,
    index: Annotated[
        bool | None,
        typer.Option(
            "--index/--no-index", help="Whether the first column of tables holds row numbers; detected by default."
        ),
    ] = None,
    grid: Annotated[
        str | None, typer.Option(help="Number of levels per factor of a full grid, such as 3,6,40,32,32.")
    ] = None,
    metric: Annotated[
        str | None, typer.Option(help="Metrics to compute, such as mig,dci; by default all of the profile.")
    ] = None,
    profile: Annotated[str, typer.Option(help="Protocol that the scores follow.")] = "dlib",
    hold_out: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FACTOR=LEVEL,…",
            help="Fit without rows that have these levels, and score them and other rows separately; once per factor.",
        ),
    ] = None,
    encode: Annotated[
        Literal["all", "protocol"],
        typer.Option(
            help="protocol: encode only the rows that the profile draws; nothing is stored, no intervals are computed."
        ),
    ] = "all",
    adapter: _console.Adapter = None,
    resamples: _console.Resamples = 200,
    resample_slow: _console.ResampleSlow = False,
    json: _console.Json = False,
    quiet: _console.Quiet = False,
) -> None:
    """Score the codes of a run, or codes and factors from files.

    Example: latentlab score --codes z.npy --factors v.npy --metric mig,sap

    Hold out combinations: latentlab score RUN --hold-out shape=heart --hold-out scale=0.9,1.0

    Without encoding all samples: latentlab score RUN --encode protocol --metric mig,dci
    """
    if (path is None) == (codes is None):
        raise InputError("score needs either a run (or codes.h5ad) or --codes FILE; give one of them")
    if path is not None:
        refuse_busy(path)
    from latentlab.analysis.score.arrays import read_arrays
    from latentlab.data._dialects import Asked

    options = {
        "metrics": _console.metrics(metric),
        "profile": profile,
        "resamples": resamples,
        "resample_slow": resample_slow,
    }
    arrays = read_arrays(codes, factors, Asked(header, index)) if codes else None
    if hold_out:
        if grid or resample_slow or encode == "protocol":
            raise InputError(
                "--hold-out splits all rows itself and redraws nothing; leave out --grid, --resample-slow, --encode"
            )
        show_held_out(path, arrays, hold_out, options["metrics"], profile, json=json)
        return
    if encode == "protocol":
        if path is None or path.suffix.lower() == ".h5ad" or resample_slow:
            raise InputError("--encode protocol encodes samples of a run and redraws nothing; give a run folder alone")
        card = _of_drawn(path, _console.metrics(metric), profile, adapter, quiet=quiet or json)
    else:
        card = _of_arrays(arrays, factors is not None, grid, options) if arrays else _of_run(path, options)
    said = arrays.said if arrays else ()
    if json:
        _console.show_json({"profile": profile, **({"read": said} if said else {}), **card.to_json()})
        return
    for line in () if quiet else said:
        tell(one_line(line))
    from latentlab.analysis.score.scorecard import missing

    _console.table([_row(name, each) for name, each in card.scores.items()])
    if not quiet:
        for name, score in card.scores.items():
            if resamples and (why := missing(score)):
                _console.show(f"{name}: {why}")
        for name, why in card.skipped.items():
            _console.show(f"{name} was skipped: {why}")
        for caveat in card.caveats:
            _console.show(f"warning: {caveat}")


def _row(name: str, score: "Score") -> dict[str, Any]:
    """A score with what is needed to judge it: interval, nulls, and what the factors reach as codes.

    The interval stands beside the value that it is for; the profile's own draw from all rows is named as such.
    """
    interval = "–" if score.bounds is None else " to ".join(_console.cell(end) for end in score.bounds)
    return {
        "metric": name,
        "score": score.shown,
        "95 % interval": interval,
        "profile's draw": None if score.whole is None else score.value,
        "rotated": score.nulls.get("rotated"),
        "permuted": score.nulls.get("permuted"),
        "factors as codes": score.reference,
        "active only": score.beside.get("active"),
        "parts": ", ".join(f"{part} {_console.cell(value)}" for part, value in score.parts.items()),
    }


def _of_run(path: Path | None, options: dict[str, Any]) -> "Scores":
    from latentlab.analysis.score.stage import score_codes, score_run
    from latentlab.codes.h5ad import load_codes
    from latentlab.runs.run import Run

    if path is not None and path.suffix.lower() == ".h5ad":
        return score_codes(load_codes(path), **options)
    found = score_run(Run(path or Path()), **options)
    return found if options["metrics"] is None else found.only(options["metrics"])


def _of_drawn(path: Path, metrics: list[str] | None, profile: str, adapter: str | None, *, quiet: bool) -> "Scores":
    from latentlab.analysis.score.compute_drawn import score_drawn
    from latentlab.runs.run import Run

    with _console.progress("encode what the protocol draws", quiet=quiet) as report:
        return score_drawn(Run(path), metrics=metrics, profile=profile, adapter=adapter, progress=report)


def _of_arrays(arrays: "Arrays", labelled: bool, grid: str | None, options: dict[str, Any]) -> "Scores":
    from latentlab.analysis.score.scoring import score as score_arrays

    sizes = _sizes(grid) if grid else arrays.grid
    if grid and labelled:
        _check_levels(arrays.factors, sizes)
    return score_arrays(
        arrays.codes,
        arrays.factors if grid is None else None,
        grid=sizes,
        test=arrays.test,
        factor_names=arrays.names if arrays.factors is not None else (),
        kinds=arrays.kinds if grid is None else None,
        **options,
    )


def _check_levels(factors: Any, sizes: Any) -> None:
    """Refuse factors that are not a grid's own: the grid's are what is scored, theirs but name them."""
    import numpy as np

    levels = np.indices(sizes).reshape(len(sizes), -1)
    columns = [np.unique(column, return_inverse=True)[1] for column in factors.T]
    if len(columns) != len(levels) or not all(map(np.array_equal, columns, levels)):
        named = "×".join(map(str, sizes))
        raise InputError(f"--factors are not those of a full grid {named} in row-major order; give one of the two")


def _sizes(grid: str) -> tuple[int, ...]:
    try:
        return tuple(int(size) for size in grid.split(","))
    except ValueError as error:
        raise InputError(f"--grid is {grid!r}; expected levels per factor, as in 3,6,40,32,32") from error
