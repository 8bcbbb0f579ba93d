"""``latentlab likelihood``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from latentlab.cli import _console, _runs
from latentlab.system.files import refuse_busy

if TYPE_CHECKING:
    from latentlab.analysis.likelihood.record import Evidence
    from latentlab.runs.run import Run

PANEL = "Ask one question"


def likelihood(
    paths: _console.Paths,
    data: _console.RunData = None,
    split: Annotated[str | None, _console.split("test if it exists, otherwise all")] = None,
    rows: Annotated[int, typer.Option(help="Maximum number of rows, chosen at random.", min=1)] = 1000,
    samples: Annotated[int, typer.Option(help="Number of posterior samples per row.", min=2)] = 1000,
    seed: Annotated[int, _console.seed("Seed for rows and samples")] = 0,
    adapter: _console.Adapter = None,
    json: _console.Json = False,
    quiet: _console.Quiet = False,
) -> None:
    """Estimate log p(x) in nats by importance weighting, and by quadrature if the latent space has two dimensions.

    The data must have values that the likelihood can produce: only black and white for Bernoulli.

    Example: latentlab likelihood artifacts/mnist/beta1-seed0 --data mnist/:binarised=0
    """
    refuse_busy(*paths)
    from latentlab.analysis.likelihood.record import given_of
    from latentlab.analysis.likelihood.stage import likelihood as estimate
    from latentlab.data import load
    from latentlab.runs.comparison import check_comparable
    from latentlab.runs.study import open_runs

    images = None if data is None else load(data)
    if data is None:
        check_comparable(open_runs(paths)[0])
    options: dict[str, Any] = {"split": split, "rows": rows, "samples": samples, "seed": seed, "adapter": adapter}
    outcome = _runs.each_run(
        paths,
        "likelihood",
        lambda run, report: _described(run, estimate(run, data=images, progress=report, **options)),
        quiet=quiet or json,
    )
    if json:
        outcome.show_json(lambda summary: summary)
    elif outcome.done:
        _console.table([_row(run, each) for run, each in outcome.done])
    given = {run.name: known for run, _ in outcome.done if (known := given_of(run))}
    if given and not json and not quiet:
        each = ", ".join(f"{name}: {known}" for name, known in given.items())
        _console.show(f"log p(x) is conditioned on what is known about each sample ({each})")
    exact = [_exact_row(run.name, each["exact"]) for run, each in outcome.done if "exact" in each]
    if exact and not json:
        _console.show("\nBy quadrature, nats per row: log p(x) = ELBO + KL(q ‖ p(z|x))")
        _console.table(exact)
    without = {run.name: each["no_quadrature"] for run, each in outcome.done if "no_quadrature" in each}
    for name, why in {} if json else without.items():
        _console.show(f"No quadrature for {name}: {why}")
    outcome.end()


def _described(run: Run, found: Evidence) -> dict[str, Any]:
    return {"label": run.config.label, "latent_dim": run.config.latent_dim, **found.summary()}


def _row(run: Run, each: dict[str, Any]) -> dict[str, Any]:
    return {
        "run": run.name,
        "setting": each["label"],
        "latent size": each["latent_dim"],
        "rows": each["rows"],
        "samples": each["samples"],
        "ELBO": each["elbo"],
        "log p(x)": each["log_likelihood"],
        "± s.e.": each["standard_error"],
        "ESS": each["ess"],
        "var A": each["variance_sampled"],
        "var B": each["variance_closed"],
    }


def _exact_row(name: str, exact: dict[str, Any]) -> dict[str, Any]:
    return {
        "run": name,
        "rows": exact["rows"],
        "log p(x)": exact["log_likelihood"],
        "ELBO": exact["elbo"],
        "KL(q ‖ p(z|x))": exact["gap"],
        "largest disagreement": exact["identity_error"],
        "importance-weighted": exact["estimate"],
        "largest error": exact["estimate_error"],
    }
