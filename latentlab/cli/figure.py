"""``latentlab figure``."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from latentlab.cli import _console, _runs
from latentlab.errors import InputError
from latentlab.system.registry import load, names

if TYPE_CHECKING:
    from latentlab.runs.run import Run

PANEL = "Show"


def figure(
    kind: Annotated[str, typer.Argument(metavar="KIND", help=", ".join(names("figures")).replace("_", "-"))],
    paths: _console.Paths,
    out: Annotated[Path, _console.file_to_write("File to write: .pdf, .svg, .png, .html, .csv, .txt or .gif")],
    preset: Annotated[
        str, typer.Option(help="Page width and font size of a venue: icml, neurips, nature-single, nature-double.")
    ] = "neurips",
    option: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="Option of this kind of figure, such as factor=shape; may be repeated."
        ),
    ] = None,
    condition: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN=LEVEL", help="Decode at this level of a condition, such as batch=B; may be repeated."
        ),
    ] = None,
    adapter: _console.Adapter = None,
    json: _console.Json = False,
    quiet: _console.Quiet = False,
) -> None:
    """Save a figure as PDF, SVG, PNG, GIF or interactive HTML, its numbers as CSV, or its description as text.

    A pdf, svg or png has no title; its caption is saved next to it, as FILE.caption.txt and FILE.caption.tex.

    Kinds that decode again, such as interpolation and manifold, load the run's own model.

    Example: latentlab figure rate-distortion artifacts/digits -o rate-distortion.pdf

    Example: latentlab figure compare artifacts/digits/beta1-seed0 artifacts/digits/beta4-seed0 -o pair.pdf

    Example: latentlab figure traversals artifacts/digits/beta4-seed0 -o traversals.gif
    """
    from latentlab.figures import check, decodes, export, texts
    from latentlab.runs.study import open_runs

    chosen: dict[str, Any] = {
        key: int(value) if isinstance(value, float) and value.is_integer() else value
        for key, value in _console.settings(option or [], texts(kind)).items()
    }
    runs, failed = open_runs(paths)
    outcome = _runs.Outcome([(run, out) for run in runs], failed)
    check(kind, runs, chosen)
    if decodes(kind) or condition:
        chosen |= _model(kind, runs, adapter, _levels(condition or []))
    export(kind, runs, out, preset=preset, **chosen)
    if json:
        outcome.show_json(lambda _: {}, figure=str(out), kind=kind)
    elif not quiet:
        _console.show(f"Saved the figure to {out}")
    outcome.end()


def _model(kind: str, runs: "Sequence[Run]", adapter: str | None, levels: dict[str, str]) -> dict[str, Any]:
    """The option ``model`` of a kind that decodes: the run's, or for several runs what gives the model of each."""
    from latentlab.models.live import live

    if load("figures", kind).TAKES == "runs":
        return {"model": lambda run: live(run, adapter).at(levels)}
    return {"model": live(runs[0], adapter).at(levels)} if len(runs) == 1 and runs[0].has("encode") else {}


def _levels(pairs: list[str]) -> dict[str, str]:
    """``["batch=B"]`` as the levels of conditions by name."""
    parts = [pair.partition("=") for pair in pairs]
    if wrong := next((pair for pair, (name, sign, _) in zip(pairs, parts, strict=True) if not name or not sign), ""):
        raise InputError(f"condition is {wrong[:60]!r}; expected COLUMN=LEVEL, as in --condition batch=B")
    return {name.strip(): level.strip() for name, _, level in parts}
