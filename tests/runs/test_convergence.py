"""Whether a bound was flat: the interval holds the true gain as often as it says, and rising curves do not pass."""

import json
from pathlib import Path

import numpy as np
import pytest
from toy import write_run

from latentlab.errors import InputError
from latentlab.runs.convergence import TOLERANCE, Rest, rest
from latentlab.runs.run import Run

STEPS, DECAY = 10_000, 0.2


def trained(folder: Path, bound: np.ndarray, beta: float | None = 1.0) -> Run:
    """A run with these values of its bound, logged evenly over its steps."""
    if not folder.exists():
        write_run(folder, beta, 0, analysed=False, steps=STEPS, decay=DECAY)
    steps = np.linspace(0, STEPS, len(bound) + 1)[1:].astype(int)
    other = (lambda value: {"rate": 0.0, "elbo": value}) if beta is not None else (lambda value: {})
    lines = [{"step": int(s), "distortion": -v, **other(v)} for s, v in zip(steps, bound.tolist(), strict=True)]
    (folder / "history.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return Run(folder)


def noise(rng: np.random.Generator, lines: int, tie: float) -> np.ndarray:
    """Noise of deviation 1 whose neighbours correlate by ``tie``."""
    found = rng.standard_normal(lines)
    for i in range(1, lines):
        found[i] = tie * found[i - 1] + np.sqrt(1 - tie**2) * found[i]
    return found


@pytest.mark.parametrize(("tie", "least"), [(0.0, 0.92), (0.5, 0.88)])  # 0.954 and 0.929 of 4,000 draws
@pytest.mark.parametrize("slope", [0.0, 1.0])
def test_the_interval_holds_the_gain_as_often_as_it_says(
    tmp_path: Path, tie: float, least: float, slope: float
) -> None:
    rng, held, lines = np.random.default_rng(0), [], 300
    rise = slope * np.linspace(0, 1, lines)
    true = slope * 0.2  # quarters of the first four fifths lie a fifth of all steps apart
    for _ in range(250):
        found = rest(trained(tmp_path / "run", -20 + rise + 0.2 * noise(rng, lines, tie)))
        held.append(found.low <= true * lines / (lines - 1) <= found.high)
    assert np.mean(held) >= least


def test_a_curve_that_still_rises_by_the_tolerance_is_hardly_ever_called_flat(tmp_path: Path) -> None:
    rng, lines = np.random.default_rng(1), 300
    rise = 5 * TOLERANCE * np.linspace(0, 1, lines)
    draws = [rise * sign + 0.3 * rng.standard_normal(lines) for sign in (1, -1) for _ in range(200)]
    assert np.mean([rest(trained(tmp_path / "run", -20 + draw)).flat for draw in draws]) <= 0.05


def test_a_flat_curve_is_called_flat(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    flat = [rest(trained(tmp_path / "run", -20 + 0.3 * rng.standard_normal(300))).flat for _ in range(200)]
    assert np.mean(flat) >= 0.95


def test_what_the_falling_rate_brings_and_how_it_began_do_not_count(tmp_path: Path) -> None:
    bound = np.full(300, -20.0)
    bound[:100], bound[240:] = -90.0, -10.0
    assert rest(trained(tmp_path / "run", bound)) == Rest(0.0, 0.0, 0.0, True, False, "elbo")


def test_an_autoencoder_is_judged_by_its_distortion(tmp_path: Path) -> None:
    found = rest(trained(tmp_path / "run", np.linspace(-60, -20, 300), beta=None))
    assert (found.bound, found.flat) == ("−distortion", False)
    assert found.low <= 8 <= found.high


def test_the_tolerance_is_the_readers_own(tmp_path: Path) -> None:
    run = trained(tmp_path / "run", np.linspace(-60, -20, 300))
    assert rest(run, tolerance=20).flat


def test_too_few_lines_are_refused_in_a_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="logged steps in a quarter") as caught:
        rest(trained(tmp_path / "run", np.zeros(30)))
    assert len(str(caught.value)) <= 200 + len(str(tmp_path))
