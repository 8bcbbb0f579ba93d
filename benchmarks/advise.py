"""How far `latentlab advise` is right: for linear VAEs, for deep ones on five data sets, and for a wanted number.

Run from the repository root: ``python benchmarks/advise.py FOLDER --mnist MNIST [linear grid search longer want]``.
MNIST is a folder of the four IDX files. Finished runs in FOLDER are kept, so that an interrupted call goes on. All
takes half an hour of one core. The numbers are in docs/choosing-beta.md.
"""

import argparse
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

import latentlab as ll
from latentlab.data import Dataset, load
from latentlab.runs.calibration import calibrate
from latentlab.runs.measured import LEAST, Measured
from latentlab.runs.spectrum import Spectrum, spectrum

BETAS = [2.0**k for k in range(-2, 7)]
LATENT, SIGMA = 16, 0.1
COMMON: dict[str, Any] = {"latent_dim": LATENT, "network": "mlp", "batch_size": 64, "workers": 1, "threads": 1}
STEPS = {"digits": 4000, "table": 4000, "dsprites": 2000, "mnist": 2000, "scenes": 2000}
UNSETTLED = 5  # runs with so many active units below 0.1 nats are trained again, for longer
WANTED = (3, 5)
MOST = 20  # runs after which a search is given up


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


def gaussian_data(rows: int = 20_000, columns: int = 16) -> Dataset:
    """Gaussian rows with four large eigenvalues, turned at random, in 256 steps."""
    rng = np.random.default_rng(0)
    turned = np.linalg.qr(rng.standard_normal((columns, columns)))[0]
    eigenvalues = np.r_[0.2 * 0.4 ** np.arange(4), np.full(columns - 4, 2e-3)]
    values = 0.5 + (rng.standard_normal((rows, columns)) * np.sqrt(eigenvalues)) @ turned.T
    return load((np.clip(values, 0, 1) * 255).round().astype(np.uint8).reshape(rows, 1, 4, 4))


def rates_of(run: ll.Run, data: Dataset) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The rate of each dimension in nats, the largest first."""
    codes = ll.encode(run, data)
    assert codes.variance is not None
    mean, variance = codes.mean.astype(np.float64), codes.variance.astype(np.float64)
    return np.sort(0.5 * (mean**2 + variance - 1 - np.log(variance)).mean(axis=0))[::-1]


def linear(folder: Path, _: str) -> None:
    """Linear VAEs: the rate of each dimension, and whether units live at 0.95 and not at 1.05 of their threshold."""
    gaussian, digits = gaussian_data(), load("digits:binarised=0")
    for data, likelihood, beta, places in (
        (gaussian, "gaussian", 0.15, (1, 4)),
        (gaussian, "gaussian-learned", 2.0, (4,)),
        (digits, "bernoulli", None, (1,)),
    ):
        sigma = {"sigma": 0.2} if likelihood == "gaussian" else {}
        found = spectrum(data, likelihood=likelihood, rows=len(data), **sigma)
        how = {"likelihood": likelihood, "network": "linear", "latent_dim": 6, "learning_rate": 5e-2, "decay": 0.8}
        if beta is not None:
            run = _trained(data, folder / f"linear-{likelihood}", beta, how | sigma)
            ratios = found.noise(beta, 6) * np.exp(2 * rates_of(run, data)[:4]) / found.eigenvalues[:4]
            print(f"{likelihood}, β = {beta:g}: eigenvalues that the rates imply, over the true ones", ratios.round(3))
        for place in places:
            for share in (0.95, 1.05):
                near = float(found.thresholds[place - 1]) * share
                run = _trained(data, folder / f"linear-{likelihood}-{place}-{share:g}", near, how | sigma)
                counts = f"{int(ll.encode(run, data).active.sum())} active, {found.active(near, 6)} predicted"
                print(f"{likelihood}, {share:g} of threshold {place}: {counts}", flush=True)


def _trained(data: Dataset, out: Path, beta: float, how: Mapping[str, Any]) -> ll.Run:
    return ll.train(data, out, beta=beta, steps=8000, batch_size=1024, threads=1, resume=True, **how)


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


COLUMNS = ("β", "components", "expected", "in use", "active", "linear rate", "rate")


def grid(folder: Path, mnist: str) -> None:
    """Predicted and measured units and rates, within each data set and over all; "expected" knows no run."""
    tables = []
    for name, (data, study) in studies(folder, mnist).items():
        advice = ll.advise(data, study=study)
        found = spectrum(data, likelihood=advice.settings["likelihood"], sigma=advice.settings["sigma"])
        tables.append(np.array([_row(each, found) for each in advice.measured]).T)
        print(f"\n{name}: thresholds {advice.thresholds[:4].round(2)}, γ {advice.exponent:.2f}")
        for title, values in zip(COLUMNS, tables[-1], strict=True):
            print(f"  {title:<12}", *(f"{value:7.2f}" for value in values))
        _correlations(tables[-1])
        errors = [abs(each.expected - each.in_use) for each in advice.measured]
        before = np.abs(tables[-1][2] - tables[-1][3]).mean()
        print(f"  mean error of expected units {before:.2f}, from the other values of β {np.mean(errors):.2f}")
    pooled = np.hstack(tables)
    print("\nover all data sets and β:")
    _correlations(pooled)
    print(f"  mean error of the expected units {np.abs(pooled[2] - pooled[3]).mean():.2f}")


def _row(each: Measured, found: Spectrum) -> tuple[float, ...]:
    components, expected = (found.thresholds > each.beta).sum(), calibrate(found, {}).units(found, each.beta)
    return each.beta, components, min(LATENT, expected), each.in_use, each.active, each.linear_rate, each.rate


def _correlations(columns: np.ndarray[Any, Any]) -> None:
    from scipy.stats import spearmanr

    named = dict(zip(COLUMNS, columns, strict=True)) | {"−β": -columns[0]}
    for first, second in (
        ("components", "in use"), ("components", "active"), ("expected", "in use"), ("linear rate", "rate"),
        ("−β", "in use"), ("−β", "rate"),
    ):  # fmt: skip
        print(f"  rank correlation of {first} and {second}: {spearmanr(named[first], named[second])[0]:.3f}")


def longer(folder: Path, mnist: str) -> None:
    """What becomes of runs with many active units below 0.1 nats that are trained two or three times as long."""
    from scipy.stats import spearmanr

    for name, (data, study) in studies(folder, mnist).items():
        before = ll.advise(data, study=study)
        after = list(before.measured)
        for place, each in enumerate(before.measured):
            if each.active - each.in_use < UNSETTLED:
                continue
            how = options(name) | {"steps": STEPS[name] * (2 if name == "table" else 3), "decay": 0.6}
            again = ll.sweep(data, folder / "longer" / f"{name}-{each.beta:g}", beta=[each.beta], **how)
            after[place] = _measured(data, again)[each.beta]
            for title, one in (("", each), ("trained for longer: ", after[place])):
                print(f"{name}, β = {each.beta:g}: {title}{one.active} active, {one.in_use} in use", flush=True)
        components = [each.components for each in before.predictions]
        ranks = [spearmanr(components, [each.active for each in some])[0] for some in (before.measured, after)]
        print(f"{name}: rank correlation with active units {ranks[0]:.3f}, with the longer runs {ranks[1]:.3f}")


def _measured(data: Dataset, study: ll.Study) -> dict[float, Measured]:
    """What the runs of a study kept, by β."""
    for run in study:
        ll.encode(run, data)
    return {each.beta: each for each in ll.advise(data, study=study).measured}


def search(folder: Path, mnist: str) -> None:
    """How soon a wanted number is reached, were units between the trained values of β interpolated; nothing is trained.

    The rates of the dimensions, in order of size, are taken to be straight lines over log β.
    """
    ways = {"advice": _advised, "bisection from the threshold": _bisected}
    kept: dict[str, list[list[int]]] = {name: [] for name in ways}
    hit = []
    for data, study in studies(folder, mnist).values():
        found = spectrum(data, likelihood=study[0].config.likelihood, sigma=study[0].config.sigma)
        rates = np.array([rates_of(run, data) for run in study])

        def units(beta: float, rates: np.ndarray[Any, Any] = rates) -> int:
            return int(sum(np.interp(np.log(beta), np.log(BETAS), each) >= LEAST for each in rates.T))

        for wanted in range(1, min(8, units(BETAS[0])) + 1):
            hit.append(wanted in [units(beta) for beta in np.geomspace(BETAS[0], BETAS[-1], 6)])
            for name, way in ways.items():
                kept[name].append([each - wanted for each in way(found, units, wanted)])
    print(f"{len(hit)} wanted numbers; a grid of six has it: {np.mean(hit):.2f}")
    for name, searches in kept.items():
        shares = [round(float(np.mean([0 in errors[:count] for errors in searches])), 2) for count in range(1, 7)]
        near = np.mean([abs(errors[:2][-1]) <= 1 for errors in searches])
        print(f"{name}: reached within 1, 2, … 6 runs {shares}; within one unit after two {near:.2f}")


def _advised(found: Spectrum, units: Callable[[float], int], wanted: int) -> list[int]:
    """The units in use of the runs that the advice asks for, until one has the wanted number."""
    runs: dict[float, float] = {}
    kept: list[int] = []
    while len(kept) < MOST and wanted not in kept:
        beta = float(np.clip(calibrate(found, runs).beta_for(found, wanted), BETAS[0] / 2, BETAS[-1]))
        kept.append(units(beta))
        runs[beta] = kept[-1]
    return kept


def _bisected(found: Spectrum, units: Callable[[float], int], wanted: int) -> list[int]:
    """The same by halving the range of log β from below the least β to the first threshold."""
    low, high = BETAS[0] / 2, float(found.thresholds[0])
    kept: list[int] = []
    while len(kept) < MOST and wanted not in kept:
        beta = (low * high) ** 0.5
        kept.append(units(beta))
        low, high = (beta, high) if kept[-1] > wanted else (low, beta)
    return kept


def want(folder: Path, mnist: str) -> None:
    """The β for a wanted number of units in at most two runs: the advice, and the advice after one run."""
    reached = []
    for name, make in data_sets(mnist).items():
        data = make()
        for wanted in WANTED:
            counts = list(_reaching(data, folder / f"want{wanted}" / name, wanted, options(name)))
            reached.append(counts[-1][1] == wanted)
            told = ", then ".join(f"β = {beta:g} left {units}" for beta, units in counts)
            print(f"{name}, {wanted} wanted: {told}", flush=True)
    print(f"reached in at most two runs: {sum(reached)} of {len(reached)}")


def _reaching(data: Dataset, out: Path, wanted: int, how: dict[str, Any]) -> Iterator[tuple[float, int]]:
    """The β advised and the units in use, for the first run, and for the second where the first missed."""
    given = {key: how[key] for key in ("latent_dim", "likelihood", "sigma") if key in how}
    advice = ll.advise(data, want=wanted, **given)
    for number in ("first", "second"):
        assert advice.beta is not None
        study = ll.sweep(data, out / number, beta=[advice.beta], **how)
        units = _measured(data, study)[advice.beta].in_use
        yield advice.beta, units
        if units == wanted:
            return
        advice = ll.advise(data, study=study, want=wanted)


PARTS = {each.__name__: each for each in (linear, grid, search, longer, want)}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--mnist", default="data/mnist", help="folder of MNIST's IDX files")
    parser.add_argument("parts", nargs="*", default=list(PARTS))
    given = parser.parse_intermixed_args()
    for part in given.parts:
        PARTS[part](given.folder, given.mnist)
