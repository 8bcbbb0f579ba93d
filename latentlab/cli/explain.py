"""``latentlab explain``."""

from typing import Annotated, Any

import typer

from latentlab.cli import _console, _runs
from latentlab.system.files import refuse_busy

PANEL = "Analyse"


def explain(
    paths: _console.Paths,
    rows: Annotated[int, typer.Option(min=1, help="Seeded codes to look around.")] = 32,
    steps: Annotated[int, typer.Option(min=3, help="Pictures along each path.")] = 33,
    seed: Annotated[int, typer.Option(help="Fixes which codes.")] = 0,
    adapter: _console.Adapter = None,
    json: _console.Json = False,
    quiet: _console.Quiet = False,
) -> None:
    """Say what each latent dimension does to the picture: where, how strongly, how straight, and what it follows.

    Example: latentlab explain artifacts/digits
    """
    refuse_busy(*paths)
    from latentlab.analysis.explain.stage import explain as measure
    from latentlab.analysis.explain.table import explained

    options: dict[str, Any] = {"rows": rows, "steps": steps, "seed": seed, "adapter": adapter}
    found = _runs.each_run(
        paths, "explain", lambda run, report: explained(run, measure(run, **options)), quiet=quiet or json
    )
    if json:
        found.show_json(lambda table: {"dimensions": table.to_dict("records")})
    left_out = {"index", "straightness_low", "straightness_high", "mi_low", "mi_high"}
    for run, table in [] if json else found.done:
        named = {"run": run.name} if len(found.done) > 1 else {}
        _console.table(
            [named | {k: v for k, v in row.items() if k not in left_out} for row in table.to_dict("records")]
        )
        if not quiet:
            _console.show(
                f"around {table.attrs['rows']} codes; strength: change of a pixel, of its range, a standard deviation"
            )
    found.end()
