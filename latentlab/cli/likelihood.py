"""``latentlab likelihood``."""

from typing import Annotated, Any

import typer

from latentlab.cli import _console
from latentlab.errors import LatentlabError
from latentlab.system.files import refuse_busy

PANEL = "Analyse"


def likelihood(
    paths: _console.Paths,
    data: _console.Data = None,
    split: _console.Split = None,
    rows: Annotated[int, typer.Option(help="Seeded rows to estimate.", min=1)] = 1000,
    samples: Annotated[int, typer.Option(help="Draws from each row's posterior.", min=2)] = 1000,
    seed: Annotated[int, typer.Option(help="Fixes rows and draws.")] = 0,
    adapter: _console.Adapter = None,
    json: _console.Json = False,
    quiet: _console.Quiet = False,
) -> None:
    """Estimate log p(x): importance-weighted, and exactly where the latent space has two dimensions.

    Images must be what the likelihood is a distribution of: black and white for a Bernoulli one.

    Example: latentlab likelihood artifacts/mnist/beta1-seed0 --data mnist/:binarised=0
    """
    refuse_busy(*paths)
    from latentlab.analysis.likelihood.stage import likelihood as estimate
    from latentlab.data import load
    from latentlab.runs.comparison import check_comparable
    from latentlab.runs.study import open_runs

    runs = open_runs(paths)
    images = None if data is None else load(data)
    if data is None:
        check_comparable(runs)
    found: dict[str, dict[str, Any]] = {}
    failed: dict[str, LatentlabError] = {}
    for run in runs:
        try:
            with _console.progress(f"likelihood {run.name}", quiet=quiet or json) as report:
                each = estimate(
                    run, images, split=split, rows=rows, samples=samples, seed=seed, adapter=adapter, progress=report
                )
        except LatentlabError as error:
            if len(runs) == 1:
                raise
            failed[run.name] = error
        else:
            found[run.name] = {"label": run.config.label, "latent_dim": run.config.latent_dim, **each.summary()}
    if json:
        _console.show_json({"runs": found, "failed": {name: str(error) for name, error in failed.items()}})
        return
    _console.table([_row(name, each) for name, each in found.items()])
    if exact := [_exact_row(name, each["exact"]) for name, each in found.items() if "exact" in each]:
        _console.show("\nBy quadrature, nats a row: log p(x) = ELBO + KL(q ‖ p(z|x))")
        _console.table(exact)
    for name, why in failed.items():
        _console.show(f"{name} was left out: {why}")
    if failed and not found:
        raise LatentlabError(f"none of {len(runs)} runs has an estimate of log p(x)")


def _row(name: str, each: dict[str, Any]) -> dict[str, Any]:
    return {
        "run": name,
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
        "their largest disagreement": exact["identity_error"],
        "importance-weighted": exact["estimate"],
        "farthest off": exact["estimate_error"],
    }
