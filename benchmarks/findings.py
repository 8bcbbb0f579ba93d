"""The tables of docs/findings.md: what two studies on MNIST came to, as Markdown.

    latentlab sweep --data mnist/ --out STUDY --beta ae,1e-6,1,4,16 --seeds 3 --steps 6000
    latentlab sweep --data mnist/:binarised=0 --out BITS --beta 1 --seeds 3 --latent-dim 2,10,20 --steps 6000
    python benchmarks/findings.py STUDY BITS --write docs/findings.md

Every run is measured first (``latentlab support``, ``latentlab likelihood``); what is up to date is read.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from latentlab.analysis.likelihood.record import read_evidence
from latentlab.analysis.likelihood.stage import likelihood
from latentlab.analysis.support.record import by_setting, support_table
from latentlab.analysis.support.stage import support
from latentlab.data import Dataset
from latentlab.data._binarise import binarised
from latentlab.runs.data import data_of
from latentlab.runs.run import Run
from latentlab.runs.study import Study

ROWS, SAMPLES = 250, 500
COLUMNS = {
    "rate": ("rate, nats", 1),
    "active_units": ("active units", 1),
    "probe": ("linear probe", 3),
    "prior.precision": ("precision, N(0, I)", 2),
    "prior.coverage": ("coverage, N(0, I)", 2),
    "prior.holes": ("holes, N(0, I)", 3),
    "gaussian.coverage": ("coverage, fitted normal", 2),
    "gaussian.holes": ("holes, fitted normal", 3),
    "aggregate.coverage": ("coverage, aggregate", 2),
    "detour": ("detour", 2),
    "jump": ("jump", 2),
    "distinctions": ("distinctions", 1),
    "widths": ("widths of σ", 1),
    "gradient": ("gradient a σ", 3),
    "mmd": ("MMD² to the prior", 4),
    "gaussian_tc": ("Gaussian TC", 2),
    "gap": ("train–test gap, nats", 1),
    "width": ("median σ", 4),
}


def measured(study: Study, *, anew: bool) -> list[Run]:
    """The finished runs, each surveyed; where not `anew`, those that were."""
    runs = [run for run in study if run.state == "finished" and (anew or run.has("support"))]
    for run in runs if anew else ():
        support(run)
        print(f"surveyed {run.name}", file=sys.stderr, flush=True)
    return runs


def bits_of(run: Run) -> Dataset:
    """The run's data with the bits of seed 0, whatever it was trained on."""
    data = data_of(run)
    return data if "binarised" in data.source else replace(binarised(data, 0), spec=f"{data.spec}:binarised=0")


def spread(values: list[float], digits: int) -> str:
    """Mean and range over seeds."""
    known = [value for value in values if value is not None and math.isfinite(value)]
    if not known:
        return "–"
    ends = f" ({min(known):.{digits}f} … {max(known):.{digits}f})" if len(known) > 1 else ""
    return f"{np.mean(known):.{digits}f}{ends}".replace("-", "−")


def judged(run: Run, *, anew: bool) -> dict[str, Any]:
    """What is known of log p(x) of the run on bits; nothing of a deterministic one."""
    if not run.config.stochastic:
        return {}
    if not anew:
        return read_evidence(run).summary() if run.has("likelihood") else {}
    found = likelihood(run, data=bits_of(run), rows=ROWS, samples=SAMPLES).summary()
    print(f"estimated {run.name}", file=sys.stderr, flush=True)
    return found


def sampling(runs: list[Run], *, anew: bool) -> Iterator[str]:
    """One column a setting, one row a measure."""
    table = support_table(runs)
    settings = [(row["setting"], row["n"]) for row in by_setting(table)]
    heads = [f"{name} ({n} seed{'s' * (n > 1)})" for name, n in settings]
    yield f"| measure | {' | '.join(heads)} |"
    yield ("|---|" + "---|" * len(settings))
    for key, (name, digits) in COLUMNS.items():
        cells = [spread(table[table["setting"] == setting][key].tolist(), digits) for setting, _ in settings]
        yield (f"| {name} | {' | '.join(cells)} |")
    bits = {run.name: judged(run, anew=anew) for run in runs}
    for key, name in (("log_likelihood", "log p(x) of bits, nats"), ("elbo", "ELBO of bits, nats"), ("ess", "ESS")):
        groups = [[bits[run.name].get(key) for run in runs if run.config.label == label] for label, _ in settings]
        yield (f"| {name} | {' | '.join(spread(group, 1) for group in groups)} |")
    real = table["real.precision"].mean(), table["real.coverage"].mean()
    yield f"\nReal training images: precision {real[0]:.2f}, coverage {real[1]:.2f}; a constant image: 1 and 0."


def likelihoods(runs: list[Run], *, anew: bool) -> Iterator[str]:
    """One row a latent size."""
    found = [(run, each) for run in runs if (each := judged(run, anew=anew))]
    yield "| latent size | seeds | ELBO | log p(x) ≥ | ESS of 500 | var A | var B |"
    yield "|---|---|---|---|---|---|---|"
    for size in sorted({run.config.latent_dim for run, _ in found}):
        group = [each for run, each in found if run.config.latent_dim == size]
        keys = ("elbo", "log_likelihood", "ess", "variance_sampled", "variance_closed")
        yield (f"| {size} | {len(group)} | {' | '.join(spread([e[key] for e in group], 1) for key in keys)} |")
    yield ("\n| run | rows | log p(x) | ELBO | KL(q ‖ p(z\\|x)) | identity off by | estimate | farthest off |")
    yield ("|---|---|---|---|---|---|---|---|")
    for run, each in found:
        if exact := each.get("exact"):
            keys = ("log_likelihood", "elbo", "gap", "identity_error", "estimate", "estimate_error")
            cells = [f"{exact[key]:.3f}" if key == "identity_error" else f"{exact[key]:.1f}" for key in keys]
            yield (f"| {run.name} | {exact['rows']} | {' | '.join(cells)} |")


def written(text: str, name: str, lines: Iterator[str]) -> str:
    """The page with what stands between its two marks of that name replaced."""
    start, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
    before, _, rest = text.partition(start)
    _, _, after = rest.partition(end)
    return f"{before}{start}{chr(10).join(lines)}\n{end}{after}"


def main() -> None:
    """Measure what is not measured, and print the tables or put them into a page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", type=Path)
    parser.add_argument("bits", type=Path)
    parser.add_argument("--as-is", action="store_true", help="leave what is not measured out")
    parser.add_argument("--write", type=Path, help="a page with marks: <!-- sampling -->, <!-- likelihood -->")
    given = parser.parse_args()
    torch.set_num_threads(1)
    bits = [run for run in Study(given.bits) if run.state == "finished"]
    anew = not given.as_is
    tables = {
        "likelihood": likelihoods(bits, anew=anew),
        "sampling": sampling(measured(Study(given.study), anew=anew), anew=anew),
    }
    if given.write is None:
        print("\n\n".join("\n".join(lines) for lines in tables.values()))
        return
    text = given.write.read_text(encoding="utf-8")
    for name, lines in tables.items():
        text = written(text, name, lines)
    given.write.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
