"""Which β, and how many latent dimensions: read from the data before training, corrected by measured runs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from latentlab.data import Dataset
from latentlab.data.dataset import check_form
from latentlab.data.kinds import kind_of
from latentlab.errors import InputError
from latentlab.results import Result, plain
from latentlab.runs.calibration import DEEP, LINEAR, Calibration
from latentlab.runs.choice import LEAST
from latentlab.runs.commands import command
from latentlab.runs.measured import Measured, beta_of, fit, measure
from latentlab.runs.run import Run
from latentlab.runs.spectrum import ROWS, Spectrum, spectrum
from latentlab.runs.study import Study
from latentlab.system.registry import choose, names

if TYPE_CHECKING:
    import pandas as pd

GRID = 6
SPAN = 16  # the grid reaches from collapse down to a sixteenth of it, or to β = 1 if that is less
SPARE = 2  # dimensions more than are expected to be active, so that the size does not decide
SHARED = ("network", "steps", "batch_size", "learning_rate", "decay")  # what a further run has in common with a study


@dataclass(frozen=True)
class Prediction:
    """What is expected at one β.

    Attributes
    ----------
    beta
        The weight of the rate.
    components
        How many principal components exceed β σ²: the active units of a linear VAE, were there dimensions enough.
    active
        How many of the latent dimensions are expected to be active: as many as components where the network is linear,
        fewer where it is deep.
    rate
        That of a linear VAE of this size, in nats per example.
    """

    beta: float
    components: int
    active: float
    rate: float


@dataclass(frozen=True, eq=False)
class Advice(Result):
    """What the spectrum of the data says of β and of the latent size.

    Attributes
    ----------
    thresholds
        The β (k,) at which each component falls out of use; above the first, all dimensions collapse.
    latent_dim
        The latent size given, that of the study, or the one suggested.
    grid
        The values of β that are suggested.
    predictions
        What is expected at each β of the grid, or of the study.
    exponent
        γ of (components + 1)^γ = active units + 1, from measured runs where there are any.
    want, beta
        The wanted number of active units, and the β that should leave it; None where none was wanted.
    reached
        A run that already has the wanted number in use; empty where none has.
    measured
        What the runs of the study kept.
    command
        What trains the grid, or the run with the wanted number.
    settings
        Data, likelihood, σ, rows and seed.
    """

    thresholds: np.ndarray[tuple[int], np.dtype[np.float64]]
    latent_dim: int
    grid: tuple[float, ...]
    predictions: tuple[Prediction, ...]
    exponent: float
    want: int | None
    beta: float | None
    reached: str
    measured: tuple[Measured, ...]
    command: str
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def assumption(self) -> str:
        """What the expectation rests on, in a sentence."""
        if self.settings["network"] == "linear":
            return "The network is linear: its active units are the components whose threshold exceeds β."
        source = "fitted to the study" if self.measured else "from other data sets, where it lay between 0.4 and 0.8"
        return (
            "Components are what a linear VAE keeps. Deep networks need fewer units: about "
            f"(components + 1)^γ − 1 with γ = {self.exponent:.2f}, {source}."
        )

    def to_frame(self) -> pd.DataFrame:
        """The advice as a table.

        Returns
        -------
        DataFrame
            One row per β, or per run of the study with what was measured.
        """
        import pandas as pd

        table = pd.DataFrame([vars(each) for each in self.predictions])
        if not self.measured:
            return table
        runs = pd.DataFrame([vars(each) for each in self.measured]).rename(columns={"active": "active_units"})
        return runs.assign(signs=["; ".join(each.signs) for each in self.measured]).merge(
            table[["beta", "components"]], on="beta"
        )

    def to_json(self) -> dict[str, Any]:
        """The advice as JSON.

        Returns
        -------
        dict
            Plain JSON values by field.
        """
        rows = {key: [vars(each) for each in getattr(self, key)] for key in ("predictions", "measured")}
        return {**{key: plain(value) for key, value in vars(self).items() if key not in rows}, **plain(rows)}


def advise(
    data: Dataset,
    *,
    study: Study | None = None,
    want: int | None = None,
    latent_dim: int | None = None,
    network: str = "auto",
    likelihood: str = "auto",
    sigma: float = 1.0,
    seeds: int | None = None,
    rows: int = ROWS,
    seed: int = 0,
) -> Advice:
    """Suggest which β and how many latent dimensions to try on a data set; no model is needed.

    Parameters
    ----------
    data : Dataset
        What will be trained on, or its name or path; its published training split where it has one.
    study : Study, optional
        Runs that were trained on these data and encoded. What they kept corrects the expectation, and likelihood,
        network and latent size are theirs.
    want : int, optional
        A number of active units; the β that is expected to give it is suggested.
    latent_dim : int, optional
        The latent size; one is suggested where it is not given.
    network : str, default "auto"
        As in `latentlab.training.sweep.sweep`. Of a ``linear`` one the active units are predicted exactly; of any
        other they follow from the spectrum by a power that differs between data sets, from 0.4 to 0.8.
    likelihood : str, default "auto"
        Of the decoder, as in training; a negative binomial is not covered.
    sigma : float, default 1.0
        The standard deviation of a Gaussian likelihood.
    seeds : int, optional
        How many seeds per setting the suggested command trains: by default one for a wanted number, four for a grid,
        the least from which the best setting can be identified.
    rows : int
        At most how many rows are read, chosen by the seed.
    seed : int, default 0
        Of the rows.

    Returns
    -------
    Advice
        Thresholds, expected active units and rate per β, a grid, a command, and what a study measured.

    Raises
    ------
    InputError
        For data that do not vary, a wanted number that is not within the latent size or that the data do not give, and
        runs of a study that differ in likelihood, network or latent size, or are of other data.

    Notes
    -----
    A linear VAE keeps the components whose eigenvalue exceeds β σ² (Lucas et al. 2019). For a Bernoulli likelihood σ²
    is p(1 − p) of each pixel: so the collapsed model becomes unstable exactly below the first threshold, whatever the
    network, but a deep one may stay awake above it. Holds for `vae` and `beta-vae`, whose loss is distortion + β·rate.

    Examples
    --------
    >>> from latentlab.data import load
    >>> advice = advise(load("digits"), want=4)
    >>> round(float(advice.thresholds[0]), 1), advice.latent_dim, advice.beta
    (3.3, 8, 0.34)
    """
    if network != "auto":
        choose(network, names("models/networks"), what="network")
    runs = of_one_kind(study) if study is not None else []
    _check_data(data, runs)
    if runs:
        config = runs[0].config
        likelihood, sigma, network, latent_dim = config.likelihood, config.sigma, config.network, config.latent_dim
    seeds = (LEAST if want is None else 1) if seeds is None else seeds
    _check(want, latent_dim, seeds)
    likelihood = kind_of(data.form).likelihoods(data.form)[0] if likelihood == "auto" else likelihood
    part = data.split("train") if "train" in data.splits else data
    measured_spectrum = spectrum(part, likelihood=likelihood, sigma=sigma, rows=rows, seed=seed)
    start = start_of(network)
    measured = measure(measured_spectrum, runs, start=start)
    calibration = fit(measured_spectrum, measured, latent_dim or 0, start=start)
    grid = _grid(measured_spectrum)
    latent_dim = latent_dim or max(_size(measured_spectrum, calibration, grid), (want or 0) + SPARE)
    beta = None if want is None else _rounded(calibration.beta_for(measured_spectrum, want))
    betas = sorted({each.beta for each in measured}) or list(grid)
    options = {"network": network, "likelihood": likelihood, "sigma": sigma, "latent_dim": latent_dim, "seeds": seeds}
    return Advice(
        thresholds=measured_spectrum.thresholds,
        latent_dim=latent_dim,
        grid=grid,
        predictions=tuple(_predicted(measured_spectrum, calibration, each, latent_dim) for each in betas),
        exponent=calibration.exponent,
        want=want,
        beta=beta,
        reached=next((each.run for each in measured if each.in_use == want), ""),
        measured=measured,
        command=_command(data, grid if beta is None else (beta,), options, study, runs),
        settings={"data": data.spec or data.name, **options, "rows": measured_spectrum.rows, "seed": seed},
    )


def _check(want: int | None, latent_dim: int | None, seeds: int) -> None:
    for name, value in (("want", want), ("latent_dim", latent_dim), ("seeds", seeds)):
        if value is not None and value < 1:
            raise InputError(f"{name} is {value}; expected at least 1")
    if want is not None and latent_dim is not None and want > latent_dim:
        raise InputError(f"want is {want}, but there are {latent_dim} latent dimensions; expected at most that many")


def _check_data(data: Dataset, runs: Sequence[Run]) -> None:
    for run in runs:
        check_form(data, run.config.form, f"{run.path} was trained on")
        if run.config.fingerprint not in ("", data.split(run.config.split).fingerprint["images"]):
            raise InputError(f"{str(run.path)[-60:]} was trained on other images than those of {data.name[-60:]}")


def of_one_kind(runs: Iterable[Run]) -> list[Run]:
    """The runs whose loss is distortion + β · rate, all with one likelihood, network and latent size.

    Raises
    ------
    InputError
        Where they differ in one of these, or none is encoded.
    """
    given = list(runs)
    if given and not any(run.config.has_model for run in given):
        raise InputError("these runs hold codes without a model; β applies only to models")
    found = [run for run in given if beta_of(run) is not None]
    for key in ("likelihood", "sigma", "network", "latent_dim"):
        values = sorted({str(getattr(run.config, key)) for run in found})
        if len(values) > 1:
            raise InputError(f"the runs differ in {key}: {', '.join(values)}; expected one, so choose among them"[:200])
    if not any(run.has("encode") for run in found):
        raise InputError(
            "there is no encoded run of vae or beta-vae; encode the study: `latentlab analyze STUDY --only encode`"
        )
    return found


def start_of(network: str) -> float:
    """γ of a network before any run."""
    return LINEAR if network == "linear" else DEEP


def _grid(found: Spectrum) -> tuple[float, ...]:
    """Values of β in equal ratios, from where most is kept to where everything collapses."""
    highest = float(found.thresholds[0])
    return tuple(_rounded(float(beta)) for beta in np.geomspace(min(1.0, highest / SPAN), highest, GRID))


def _size(found: Spectrum, calibration: Calibration, grid: Sequence[float]) -> int:
    """The latent size for a grid: some more than are expected to be active at its least β."""
    return min(len(found.thresholds), math.ceil(calibration.units(found, grid[0]))) + SPARE


def _rounded(beta: float) -> float:
    """A β of two significant digits."""
    return float(f"{beta:.2g}")


def _predicted(found: Spectrum, calibration: Calibration, beta: float, latent_dim: int) -> Prediction:
    expected = min(float(latent_dim), calibration.units(found, beta))
    rate = float(found.rates(beta, latent_dim).sum())
    return Prediction(beta, int((found.thresholds > beta).sum()), expected, rate)


def _command(
    data: Dataset, betas: Sequence[float], options: dict[str, Any], study: Study | None, runs: Sequence[Run]
) -> str:
    """The sweep that trains these values of β; with a study, its further runs with the same settings."""
    shared = {key: getattr(runs[0].config, key) for key in SHARED} if runs else {"network": options["network"]}
    sigma = {"sigma": options["sigma"]} if options["likelihood"] == "gaussian" else {}
    given = {"latent_dim": options["latent_dim"], "seeds": options["seeds"], "likelihood": options["likelihood"]}
    words = [
        word
        for key, value in {**given, **sigma, **shared}.items()
        for word in (f"--{key.replace('_', '-')}", _typed(value))
    ]
    where: Path | str = study.path if study is not None else "artifacts/study"
    return command(
        "sweep", "--data", data.spec or "DATA", "--out", where, "--beta", ",".join(map(_typed, betas)), *words
    )


def _typed(value: Any) -> str:
    """A value as one types it."""
    return f"{value:g}" if isinstance(value, float) else str(value)
