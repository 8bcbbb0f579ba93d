"""How far `latentlab advise` is right: linear VAEs, deep ones on five data sets, and the β for a wanted number of units.

Run from the repository root: ``python benchmarks/advise.py FOLDER --mnist MNIST [linear grid longer want]``; MNIST is a
folder of the four IDX files. Finished runs in FOLDER are kept, so that an interrupted call goes on. All of it takes
half an hour of one core. The numbers are in docs/choosing-beta.md.
"""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

import latentlab as ll
from latentlab.data import Dataset, load
from latentlab.runs.advice import Advice
from latentlab.runs.calibration import DEEP, calibrate
from latentlab.runs.measured import means
from latentlab.runs.spectrum import Spectrum, spectrum

BETAS = [2.0**k for k in range(-2, 7)]
LATENT, SIGMA = 16, 0.1
COMMON: dict[str, Any] = {"latent_dim": LATENT, "network": "mlp", "batch_size": 64, "workers": 1, "threads": 1}
STEPS = {"digits": 4000, "table": 4000, "dsprites": 2000, "mnist": 2000, "scenes": 2000}
UNSETTLED = 5  # runs with so many active units below 0.1 nats are trained again, for longer
WANTED = (3, 5)


def table() -> Dataset:
    """The breast cancer table, 569 rows of 30 columns, standardised, 3 deviations each way to [0, 1]."""
    from sklearn.datasets import load_breast_cancer

    values = load_breast_cancer().data
    scores = (values - values.mean(axis=0)) / values.std(axis=0)
    return load((np.clip(scores / 6 + 0.5, 0, 1) * 255).round().astype(np.uint8).reshape(-1, 1, 5, 6))


def data_sets(mnist: str) -> dict[str, Callable[[], Dataset]]:
    """What deep VAEs are trained on."""
    return {
        "digits": lambda: load("digits"),
        "table": table,
        "dsprites": lambda: load("dsprites:size=32,grid=3x3x10x8x8"),
        "mnist": lambda: load(mnist).split("train").take(slice(0, 5000)),
        "scenes": lambda: load("scenes:size=16,grid=4x4x4x3x4x5"),
    }


def options(name: str) -> dict[str, Any]:
    """How it is trained."""
    gaussian = {"likelihood": "gaussian", "sigma": SIGMA} if name == "table" else {}
    return COMMON | {"steps": STEPS[name]} | gaussian


def gaussian_data(rows: int = 20_000, columns: int = 32) -> Dataset:
    """Gaussian rows with six large eigenvalues, turned at random, in 256 steps."""
    rng = np.random.default_rng(0)
    turned = np.linalg.qr(rng.standard_normal((columns, columns)))[0]
    eigenvalues = np.r_[np.geomspace(0.2, 0.02, 6), np.full(columns - 6, 2e-3)]
    values = 0.5 + (rng.standard_normal((rows, columns)) * np.sqrt(eigenvalues)) @ turned.T
    return load((np.clip(values, 0, 1) * 255).round().astype(np.uint8).reshape(rows, 1, 4, 8))


def rates_of(run: ll.Run, data: Dataset) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The rate of each dimension in nats, the largest first."""
    codes = ll.encode(run, data)
    assert codes.variance is not None
    mean, variance = codes.mean.astype(np.float64), codes.variance.astype(np.float64)
    return np.sort(0.5 * (mean**2 + variance - 1 - np.log(variance)).mean(axis=0))[::-1]


def linear(folder: Path, _: str) -> None:
    """Thresholds of linear VAEs: from the rate of each dimension at one β, and by whether units live at 0.95 and 1.05
    of a threshold."""
    gaussian, digits = gaussian_data(), load("digits:binarised=0")
    for data, likelihood, betas in (
        (gaussian, "gaussian", (0.15,)),
        (gaussian, "gaussian-learned", (3.0,)),
        (gaussian, "around", ()),
        (digits, "bernoulli", ()),
    ):
        kind = "gaussian" if likelihood == "around" else likelihood
        sigma = {"sigma": 0.3} if kind == "gaussian" else {}
        found = spectrum(data, likelihood=kind, rows=len(data), **sigma)
        how = {"likelihood": kind, "network": "linear", "latent_dim": 8, "learning_rate": 1e-2, "decay": 0.7} | sigma
        for beta in betas:
            run = _trained(data, folder / f"linear-{kind}-{beta:g}", beta, 8000, how)
            noise = beta if kind == "gaussian" else found.noise(beta, 8)
            measured = noise * np.exp(2 * rates_of(run, data)[:6])
            print(
                f"linear, {kind}: eigenvalues by the rates over the true ones",
                (measured / found.eigenvalues[:6]).round(3),
            )
        for place in () if betas else (1,) if kind == "bernoulli" else (1, 3, 6):
            for share in (0.95, 1.05):
                beta = float(found.thresholds[place - 1]) * share
                run = _trained(data, folder / f"linear-{kind}-t{place}-{share:g}", beta, 8000, how)
                active = int(ll.encode(run, data).active.sum())
                print(
                    f"linear, {kind}, {share:g} of threshold {place}: {active} active, {found.active(beta, 8)} predicted"
                )


def _trained(data: Dataset, out: Path, beta: float, steps: int, how: Mapping[str, Any]) -> ll.Run:
    return ll.train(data, out, beta=beta, steps=steps, batch_size=256, threads=1, resume=True, **how)


def studies(folder: Path, mnist: str) -> dict[str, tuple[Dataset, ll.Study]]:
    """The grid of β on each data set, encoded."""
    found = {}
    for name, make in data_sets(mnist).items():
        data = make()
        study = ll.sweep(data, folder / name, beta=BETAS, **options(name))
        for run in study:
            ll.encode(run, data)
        found[name] = (data, study)
    return found


def grid(folder: Path, mnist: str) -> None:
    """Predicted and measured units and rates, within each data set and over all."""
    from scipy.stats import spearmanr

    rows: list[tuple[str, float, float, float, float, float, float, float]] = []
    for name, (data, study) in studies(folder, mnist).items():
        advice = ll.advise(data, study=study)
        found = _spectrum(data, advice)
        start = calibrate(found, {})
        for each, predicted in zip(advice.measured, advice.predictions, strict=True):
            before = min(LATENT, start.units(found, each.beta))
            rows.append((
                name, each.beta, predicted.components, before, each.in_use, each.active, each.linear_rate, each.rate,
            ))  # fmt: skip
        own = np.array([row[1:] for row in rows if row[0] == name]).T
        print(f"\n{name}: thresholds {advice.thresholds[:4].round(2)}, γ {advice.exponent:.2f}")
        for title, values in zip(
            ("β", "components", f"expected, γ {DEEP}", "in use", "active", "linear rate", "rate"), own, strict=True
        ):
            print(f"  {title:<18}", *(f"{value:7.2f}" for value in values))
        _correlations(own, spearmanr)
    pooled = np.array([row[1:] for row in rows]).T
    print("\nover all data sets and β:")
    _correlations(pooled, spearmanr)
    print(
        f"  −β alone with units in use {spearmanr(-pooled[0], pooled[3])[0]:.3f}, with rates {spearmanr(-pooled[0], pooled[6])[0]:.3f}"
    )
    print(f"  mean error of expected units {np.abs(pooled[2] - pooled[3]).mean():.2f}")


def _correlations(columns: np.ndarray, rank: Callable[..., Any]) -> None:
    _, components, expected, in_use, active, linear_rate, rate = columns
    print(f"  rank correlation of components with units in use {rank(components, in_use)[0]:.3f}, with active units "
          f"{rank(components, active)[0]:.3f}; expected with in use {rank(expected, in_use)[0]:.3f}; of rates {rank(linear_rate, rate)[0]:.3f}")  # fmt: skip


def _spectrum(data: Dataset, advice: Advice) -> Spectrum:
    return spectrum(data, likelihood=advice.settings["likelihood"], sigma=advice.settings["sigma"])


def longer(folder: Path, mnist: str) -> None:
    """What becomes of runs with many active units below 0.1 nats when they are trained for two or three times as long."""
    for name, (data, study) in studies(folder, mnist).items():
        for each in ll.advise(data, study=study).measured:
            if each.active - each.in_use < UNSETTLED:
                continue
            how = options(name) | {"steps": STEPS[name] * (2 if name == "table" else 3), "decay": 0.6}
            again = ll.sweep(data, folder / "longer" / name, beta=[each.beta], **how)
            for run in again:
                ll.encode(run, data)
            after = next(m for m in ll.advise(data, study=again).measured if m.beta == each.beta)
            print(f"{name}, β = {each.beta:g}: {each.active} active, {each.in_use} in use; trained for longer "
                  f"{after.active} active, {after.in_use} in use")  # fmt: skip


def want(folder: Path, mnist: str) -> None:
    """The β for a wanted number of units, in at most two runs: the advice, and the advice after one run."""
    reached = []
    for name, make in data_sets(mnist).items():
        data = make()
        for wanted in WANTED:
            out, said, kept = folder / f"want{wanted}" / name, options(name), []
            study: ll.Study | None = None
            for _ in range(2):
                likelihood = {key: said[key] for key in ("likelihood", "sigma") if key in said}
                advice = ll.advise(
                    data, study=study, want=wanted, **({"latent_dim": LATENT} | likelihood if study is None else {})
                )
                study = ll.sweep(data, out, beta=[advice.beta], **said)
                for run in study:
                    ll.encode(run, data)
                counts = means(ll.advise(data, study=study).measured)
                kept.append((advice.beta, counts[advice.beta]))
                if kept[-1][1] == wanted:
                    break
            reached.append(kept[-1][1] == wanted)
            print(
                f"{name}, {wanted} wanted:",
                ", then ".join(f"β = {beta:g} left {units:g}" for beta, units in kept),
                flush=True,
            )
    print(f"reached in at most two runs: {sum(reached)} of {len(reached)}")


PARTS = {each.__name__: each for each in (linear, grid, longer, want)}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--mnist", default="data/mnist", help="folder of MNIST's IDX files")
    parser.add_argument("parts", nargs="*", default=list(PARTS))
    given = parser.parse_args()
    for part in given.parts:
        PARTS[part](given.folder, given.mnist)
