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
    address: Annotated[str, typer.Option(help="The name or number of this machine to answer to.")] = "127.0.0.1",
    allow_remote: Annotated[
        bool, typer.Option("--allow-remote", help="Let others look, who reach --address; nothing is written then.")
    ] = False,
    browser: Annotated[bool, typer.Option(help="Open the page.")] = True,
    quiet: _console.Quiet = False,
) -> None:
    """Open a study in the browser, on this machine only (127.0.0.1) unless others are let in.

    Example: latentlab dashboard artifacts/digits-study
    """
    from latentlab.serving.server import serve
    from latentlab.system.resources import shipped_study

    chosen = shipped_study() if study is None else study

    def ready(url: str) -> None:
        _console.show(f"{chosen}: {url} (Ctrl-C ends it)")
        if allow_remote:
            _console.show("Whoever reaches this address can look: no password, no encryption. Nothing is written.")

    serve(
        chosen, port=port, address=address, allow_remote=allow_remote, browser=browser, ready=None if quiet else ready
    )
