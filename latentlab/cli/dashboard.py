"""``latentlab dashboard``."""

from pathlib import Path
from typing import Annotated

import typer

from latentlab.cli import _console

PANEL = "Show"


def dashboard(
    study: Annotated[
        Path | None, typer.Argument(metavar="[STUDY]", help="A study or a run; the shipped one by default.")
    ] = None,
    port: Annotated[int, typer.Option(help="The port on this machine.", min=1, max=65535)] = 8501,
    browser: Annotated[bool, typer.Option(help="Open the page.")] = True,
    quiet: _console.Quiet = False,
) -> None:
    """Open a study in the browser, on this machine only (127.0.0.1).

    Example: latentlab dashboard artifacts/digits-study
    """
    from latentlab.resources import shipped_study
    from latentlab.runs import open_path
    from latentlab.serving import serve

    chosen = shipped_study() if study is None else study
    open_path(chosen)
    if not quiet:
        _console.show(f"{chosen}: http://127.0.0.1:{port} (Ctrl-C ends it)")
    serve(chosen, port=port, browser=browser)
