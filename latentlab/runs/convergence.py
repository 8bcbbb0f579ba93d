"""Whether a training has come to rest: what the bound, or the loss, still gained while the learning rate was constant.

Under a learning rate that falls to 0 every curve becomes flat, so the steps of the fall say nothing. Of the steps
before it the last quarter is set against the quarter before.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from latentlab.errors import InputError
from latentlab.runs.differences import t_beyond
from latentlab.runs.history import read_history
from latentlab.runs.run import Run
from latentlab.system.stamps import remembered

TOLERANCE = 0.25
BLOCKS = 8
Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


@dataclass(frozen=True)
class Rest:
    """How much a bound rose from the third to the last quarter of the steps at a constant learning rate.

    Attributes
    ----------
    gain
        In nats per image; where the curve rises as the logarithm of the steps, half of what twice the training brings.
    low, high
        The 95 % interval of the gain, from the scatter of 8 blocks of each quarter.
    flat
        Whether the whole interval lies within the tolerance of 0.
    rising
        Whether the whole interval lies above the tolerance: a longer training would still gain.
    bound
        What was looked at: ``elbo``, ``−distortion`` of a deterministic encoder, or ``−loss``.
    """

    gain: float
    low: float
    high: float
    flat: bool
    rising: bool
    bound: str


def rest(run: Run, *, tolerance: float = TOLERANCE, of_loss: bool = False) -> Rest:
    """Whether a run was trained until its bound was flat.

    Parameters
    ----------
    run
        Its history gives the bound, as the mean over the steps of each line.
    tolerance
        In nats per image: the bound is flat where the gain is surely between −tolerance and tolerance.
    of_loss
        Look at the loss that was minimised instead, which at another β than 1 is not the bound.

    Returns
    -------
    Rest
        The gain from the third to the last quarter of the steps before the learning rate falls, with interval.

    Raises
    ------
    InputError
        Where a quarter has fewer than 8 lines: train for longer, or with a smaller ``log_every``.

    Notes
    -----
    The lines are of images that the run trains on. Where all images are trained on (dSprites) that is the bound of the
    population; elsewhere the train–test gap (`latentlab support`) says what it is short of.

    Examples
    --------
    >>> from latentlab.runs.study import Study
    >>> from latentlab.system.resources import shipped_study
    >>> rest(next(iter(Study(shipped_study())))).bound
    '−distortion'
    """
    end = (1 - run.config.decay) * run.config.steps
    bound, third, last = _quarters(run.path / "history.jsonl", end, of_loss)
    if min(len(third), len(last)) < BLOCKS:
        raise InputError(
            f"{run.path} has {min(len(third), len(last))} logged steps in a quarter of its training; expected at least "
            f"{BLOCKS}: train for longer, or set log_every"
        )
    gain, low, high = _gain(third, last)
    return Rest(gain, low, high, bool(-tolerance < low and high < tolerance), bool(low > tolerance), bound)


@remembered
def _quarters(path: Path, end: float, of_loss: bool) -> tuple[str, Floats, Floats]:
    """The name of the bound in a history, and its values in the third and in the last quarter of the steps to `end`."""
    history = [line for line in read_history(path) if "distortion" in line] if path.is_file() else []
    bound = "−loss" if of_loss else "elbo" if history and "elbo" in history[-1] else "−distortion"
    steps = np.array([line["step"] for line in history], np.float64)
    values = np.array([line["elbo"] if bound == "elbo" else -line[bound[1:]] for line in history], np.float64)
    third = values[(steps > end / 2) & (steps <= 3 * end / 4)]
    return bound, third, values[(steps > 3 * end / 4) & (steps <= end)]


def _gain(third: Floats, last: Floats) -> tuple[float, float, float]:
    """The difference of two means with its 95 % interval; neighbouring lines may hang together, so blocks vary."""
    means = [np.array([block.mean() for block in np.array_split(part, BLOCKS)]) for part in (third, last)]
    gain = float(last.mean() - third.mean())
    error = float(np.sqrt(sum(part.var(ddof=1) for part in means) / BLOCKS))
    width = float(t_beyond(0.025, 2 * BLOCKS - 2)) * error
    return gain, gain - width, gain + width
