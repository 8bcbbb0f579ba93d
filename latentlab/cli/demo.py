"""``latentlab demo``."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from latentlab.cli import _console

PANEL = "Train"
DATA = "scenes:size=24,grid=8x8x8x2x4x3"
PLAN = f"--data {DATA} --out {{out}} --network burgess --latent-dim 6 --steps 2200"
NAMED = "beta-tcvae-beta8-seed0"
STAGES = "encode,traverse,project,score,explain,names"
STORY = (
    ("Train a plain autoencoder and a VAE on small rooms in colour", f"sweep {PLAN} --beta ae,1"),
    ("Train one that presses its dimensions apart", f"sweep {PLAN} --objective beta-tcvae --beta 8"),
    (
        "Compute codes, traversals, projections and scores, and name the dimensions",
        f"analyze {{out}} --only {STAGES} --projection-rows 2000 --resamples 100 --metric {{metrics}}",
    ),
    ("Measure how much other factors change along each dimension", f"leakage {{out}}/{NAMED}"),
    ("Measure whether the latent space can be sampled from", f"support {{out}}/{NAMED} --samples 1000"),
    ("Compare what each objective costs and gains", "compare {out} --quiet"),
    ("Plot the rate–distortion curve for a paper", "figure rate-distortion {out} -o {out}/rate-distortion.pdf"),
    ("Plot what each dimension of one run does", f"figure traversals {{out}}/{NAMED} -o {{out}}/traversals.pdf"),
)


def demo(
    out: Annotated[Path, _console.folder_to_make("Study folder to create or continue")] = Path("artifacts/demo"),
    dashboard: Annotated[bool, typer.Option(help="Open the dashboard at the end.")] = True,
    quiet: _console.Quiet = False,
) -> None:
    """Run the whole workflow on embedded data, offline: train, analyse, score, compare, plot, open the dashboard.

    Example: latentlab demo --out artifacts/demo --no-dashboard
    """
    from latentlab.cli import run

    show = ["dashboard {out}"] if dashboard else []
    for title, line in [*STORY, *(("Open it in the browser", last) for last in show)]:
        command = line.format(out=shlex.quote(str(out)), metrics=",".join(metrics()))
        if not quiet:
            _console.show(f"\n{title}\n$ latentlab {command}")
        status = run(shlex.split(command) + (["--quiet"] if quiet else []))
        if status:
            raise typer.Exit(status)


def metrics() -> list[str]:
    """Every metric of the default profile but DCI, which takes longer than all the others."""
    from latentlab.system.registry import load

    return [name for name in load("analysis/score/profiles", "dlib").PROTOCOLS if name not in ("dci", "udr")]
