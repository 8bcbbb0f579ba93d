"""``latentlab dashboard``."""

from pathlib import Path
from typing import Annotated

import typer

from latentlab.cli import _console

PANEL = "Show"


def dashboard(
    study: Annotated[
        Path | None, typer.Argument(metavar="[STUDY]", help="Study or run folder; the sample study by default.")
    ] = None,
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 8501,
    address: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    allow_remote: Annotated[
        bool,
        typer.Option(
            "--allow-remote",
            help="Let other machines that can reach --address read the study; the dashboard is then read-only.",
        ),
    ] = False,
    browser: Annotated[bool, typer.Option(help="Open the page in a browser.")] = True,
    quiet: _console.Quiet = False,
) -> None:
    """Open a study in the browser. Only this machine (127.0.0.1) can connect unless you allow others.

    Example: latentlab dashboard artifacts/digits
    """
    from latentlab.serving.server import serve
    from latentlab.system.resources import shipped_study

    chosen = shipped_study() if study is None else study

    def ready(url: str) -> None:
        _console.show(f"{chosen}: {url} (press Ctrl-C to stop)")
        if allow_remote:
            _console.show(
                "Anyone who can reach this address can read the study: no password, no encryption. Nothing can "
                "be written."
            )

    serve(
        chosen, port=port, address=address, allow_remote=allow_remote, browser=browser, ready=None if quiet else ready
    )
