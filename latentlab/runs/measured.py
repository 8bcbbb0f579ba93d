"""What trained runs kept, compared with what was expected, and whether a run was trained for long enough."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from latentlab.errors import InputError
from latentlab.runs.calibration import LEAST_SEEN, Calibration, calibrate
from latentlab.runs.convergence import rest
from latentlab.runs.run import Run
from latentlab.runs.spectrum import Spectrum

LEAST = 0.1  # nats: a unit that carries less has neither settled in nor out
UNSETTLED = 2  # so many units below it are more than one on its way
FEWER = 0.6  # of the expected units, and at least two fewer


@dataclass(frozen=True)
class Measured:
    """What one run kept.

    Attributes
    ----------
    run, beta, seed
        Its name and setting.
    active
        Active units: Var_x E[z|x] > 0.01.
    in_use
        Those of them that carry at least 0.1 nats.
    expected
        Units in use expected at this β from the data and the other runs.
    rate, linear_rate
        In nats per example, measured and of a linear VAE of the same size.
    signs
        What speaks for a training that was too short, or that this cannot be told; empty where nothing does.
    """

    run: str
    beta: float
    seed: int
    active: int
    in_use: int
    expected: float
    rate: float
    linear_rate: float
    signs: tuple[str, ...]


def beta_of(run: Run) -> float | None:
    """The weight of the rate in a run's loss; None where the loss is not distortion + β · rate."""
    name, beta = run.config.objective["name"], run.config.beta
    return 1.0 if name == "vae" else beta if name == "beta-vae" else None


def measure(spectrum: Spectrum, runs: Sequence[Run], *, start: float) -> tuple[Measured, ...]:
    """What the encoded runs kept, in order of β and seed; runs whose loss is not distortion + β · rate are left out."""
    found = sorted(
        (_counted(run, beta, spectrum) for run, beta in _usable(runs)), key=lambda each: (each.beta, each.seed)
    )
    paths = {run.name: run for run in runs}
    return tuple(_judged(each, paths[each.run], found, spectrum, start) for each in found)


def fit(spectrum: Spectrum, measured: Sequence[Measured], latent_dim: int, *, start: float) -> Calibration:
    """The calibration by the mean number of units in use at each β.

    Where all dimensions are in use there may be too few of them: that counts only where fewer were expected.
    """
    counts = _means(measured)
    free = {beta: units for beta, units in counts.items() if units < latent_dim}
    fitted = calibrate(spectrum, free, start=start)
    least = {beta: units for beta, units in counts.items() if beta not in free and fitted.units(spectrum, beta) < units}
    return calibrate(spectrum, free | least, start=start) if least else fitted


def _means(measured: Sequence[Measured]) -> dict[float, float]:
    betas = sorted({each.beta for each in measured})
    at = {beta: [each.in_use for each in measured if each.beta == beta] for beta in betas}
    return {beta: sum(counts) / len(counts) for beta, counts in at.items()}


def _usable(runs: Sequence[Run]) -> list[tuple[Run, float]]:
    betas = [(run, beta_of(run)) for run in runs if run.has("encode") and run.state == "finished"]
    return [(run, beta) for run, beta in betas if beta is not None and beta > 0]


def _counted(run: Run, beta: float, spectrum: Spectrum) -> Measured:
    from latentlab.codes.dimensions import dimensions

    table = dimensions(run.codes(), draws=0)
    active, rates = table["active"].to_numpy(bool), table["kl"].to_numpy(float)
    in_use = int((active & (rates >= LEAST)).sum())
    linear = float(spectrum.rates(beta, run.config.latent_dim).sum())
    return Measured(
        run.name, beta, run.config.seed, int(active.sum()), in_use, math.nan, float(rates.sum()), linear, ()
    )


def _judged(one: Measured, run: Run, measured: Sequence[Measured], spectrum: Spectrum, start: float) -> Measured:
    """With what the other settings make expect of it, and the signs of too short a training."""
    others, size = [each for each in measured if each.beta != one.beta], run.config.latent_dim

    def expected(start: float) -> float:
        return min(float(size), fit(spectrum, others, size, start=start).units(spectrum, one.beta))

    surely = expected(start if others else min(start, LEAST_SEEN))
    signs = [_falling(run), _unsettled(one), _fewer(one, surely)]
    return replace(one, expected=expected(start), signs=tuple(filter(None, signs)))


def _falling(run: Run) -> str:
    try:
        found = rest(run, of_loss=True)
    except InputError:
        return "cannot tell whether the loss still fell: too few logged steps"
    return f"the loss still fell, by {found.gain:.2g} nats in a quarter of the steps" if found.rising else ""


def _unsettled(one: Measured) -> str:
    between = one.active - one.in_use
    return f"{between} of {one.active} active units carry less than {LEAST:g} nats" if between >= UNSETTLED else ""


def _fewer(one: Measured, expected: float) -> str:
    few = one.in_use <= min(expected - 2, FEWER * expected)
    return f"{one.in_use} units in use where {expected:.0f} were expected" if few else ""
