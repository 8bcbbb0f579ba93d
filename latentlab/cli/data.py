"""``latentlab data``."""

from pathlib import Path
from typing import Annotated

import typer

from latentlab.cli import _console

PANEL = "Files"
app = typer.Typer(help="List, show, check and fetch data sets.", no_args_is_help=True)


@app.command("ls")
def ls(json: _console.Json = False) -> None:
    """List the data sets that need no download. Example: latentlab data ls."""
    from latentlab.data import describe, names

    rows = [{"name": name, "what": describe(name)} for name in names()]
    if json:
        _console.show_json({"datasets": rows})
    else:
        _console.table(rows)


@app.command("show")
def show(spec: Annotated[str, typer.Argument(help="A name or a path.")], json: _console.Json = False) -> None:
    """Tell what a data set holds. Example: latentlab data show dsprites."""
    from latentlab.data import load

    data = load(spec)
    found = {
        "name": data.name,
        "images": len(data),
        "shape": list(data.image_shape),
        "factors": [{"name": s.name, "kind": s.kind, "levels": s.levels} for s in data.specs],
        "labels": list(data.label_names) if data.labels is not None else None,
        "splits": {name: len(rows) for name, rows in data.splits.items()},
        "grid": data.grid,
        "source": dict(data.source),
    }
    if json:
        _console.show_json(found)
    else:
        _console.table([{"": key, "value": str(value)} for key, value in found.items() if value])


@app.command("check")
def check(path: Annotated[str, typer.Argument(help="A name or a path.")], json: _console.Json = False) -> None:
    """Say what was found in a data set and what is wrong with it. Example: latentlab data check my-images/."""
    from latentlab.data import check as examine

    findings = examine(path)
    if json:
        _console.show_json({"findings": findings})
    else:
        _console.table(findings)


@app.command("fetch")
def fetch(
    name: Annotated[str, typer.Argument(help="mnist, fashion-mnist, dsprites, …")],
    out: Annotated[Path | None, typer.Option(help="The folder to put it in (data/NAME).")] = None,
    quiet: _console.Quiet = False,
) -> None:
    """Download a published data set and verify its checksum. Example: latentlab data fetch mnist."""
    from latentlab.data import fetch as download

    with _console.progress(f"fetch {name}", quiet=quiet) as report:
        folder = download(name, out or Path("data") / name, progress=report)
    _console.show(f"{folder} holds {name}; use it as --data {folder}")
