"""``latentlab zoo``."""

from pathlib import Path
from typing import Annotated

import typer

from latentlab.cli import _console

PANEL = "Files"
app = typer.Typer(help="List and download published checkpoints.", no_args_is_help=True)


@app.command("ls")
def ls(json: _console.Json = False) -> None:
    """List the published checkpoints with their licences and addresses. Example: latentlab zoo ls."""
    from latentlab.exchange.zoo import published

    entries = [
        {
            "name": entry.name,
            "format": entry.format,
            "licence": entry.licence,
            "address": entry.address,
            "sha256": {file.name: file.digest or None for file in entry.files},
        }
        for entry in published().values()
    ]
    if json:
        _console.show_json({"checkpoints": entries})
        return
    _console.table([{**entry, "sha256": _short(entry["sha256"])} for entry in entries])


def _short(digests: object) -> str | None:
    """How the checksum of the weights begins, the last file of each; None where it is not known."""
    assert isinstance(digests, dict)
    last = list(digests.values())[-1]
    return None if last is None else f"{last[:12]}…"


@app.command("fetch")
def fetch(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Such as betaH_dsprites or VAE_mnist; see latentlab zoo ls.")
    ],
    out: Annotated[Path | None, _console.folder_to_make("Folder to download to; zoo/NAME by default")] = None,
    quiet: _console.Quiet = False,
) -> None:
    """Download a published checkpoint and verify its checksums, where they are known.

    Example: latentlab zoo fetch betaH_dsprites
    """
    from latentlab.exchange import zoo

    entry = zoo.choose(name)
    folder = out or Path(zoo.HOME) / entry.name
    with _console.progress(f"fetch {entry.name}", quiet=quiet) as report:
        unknown = zoo.fetch(entry.name, folder, progress=report)
    for file, digest in unknown.items():
        _console.show(f"{folder / file} is unverified: no checksum of it is known; its SHA-256 is {digest}")
    _console.show(f"{folder} contains {entry.name}; import it: latentlab import {entry.format} {folder} --out RUN")
