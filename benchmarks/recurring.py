"""How often dimensions that recur over seeds are found, and others are called recurring (docs/scores/runs.md).

Run from the repository root: ``python benchmarks/recurring.py [--studies 100]``. Every study is simulated whole:
factors, the codes of each seed, groups and both nulls. Planted: each seed has the factors in its own order and signs,
with noise of 0.3 standard deviations, and two dimensions of noise alone. A planted factor counts as found when a
recurring group holds it, and nothing else, in every seed that has it. Noise, rotated and half rotated codes: the
share of studies in which any such group is called recurring.
"""

import argparse

import numpy as np

from latentlab.metrics._draws import rotation
from latentlab.runs.groups import Group, recurring_groups

ROWS, NOISE, SEEDS = 1000, 0.3, (2, 3, 5, 8)
Codes = list[np.ndarray]


def planted(rng: np.random.Generator, seeds: int, factors: int, *, absent: int = 0) -> tuple[Codes, list[dict]]:
    """Codes of each seed, and where each factor is in them; the first factor is absent from the last seeds."""
    truth = rng.uniform(-(3**0.5), 3**0.5, (ROWS, factors))
    means, places = [], [{} for _ in range(factors)]
    for run in range(seeds):
        z = np.hstack([truth + NOISE * rng.standard_normal(truth.shape), rng.standard_normal((ROWS, 2))])
        if run >= seeds - absent:
            z[:, 0] = rng.standard_normal(ROWS)
        order = rng.permutation(z.shape[1])
        means.append(z[:, order] * rng.choice([-1, 1], z.shape[1]))
        for k in range(factors):
            if k or run < seeds - absent:
                places[k][run] = int(np.flatnonzero(order == k)[0])
    return means, places


def rotated(rng: np.random.Generator, seeds: int, factors: int) -> Codes:
    """Codes that hold the same factors in every seed, along axes of its own."""
    truth = rng.uniform(-(3**0.5), 3**0.5, (ROWS, factors))
    return [truth @ rotation(rng, factors) + NOISE * rng.standard_normal(truth.shape) for _ in range(seeds)]


def noise(rng: np.random.Generator, seeds: int, factors: int) -> Codes:
    """Codes that have nothing in common."""
    return [rng.standard_normal((ROWS, factors)) for _ in range(seeds)]


def half(rng: np.random.Generator, seeds: int, factors: int) -> tuple[Codes, int]:
    """Factors of which the first half are planted and the others rotated, and where those begin."""
    k = factors // 2
    truth = rng.uniform(-(3**0.5), 3**0.5, (ROWS, k))
    fixed = [truth + NOISE * rng.standard_normal(truth.shape) for _ in range(seeds)]
    return [np.hstack(pair) for pair in zip(fixed, rotated(rng, seeds, factors - k), strict=True)], k


def recall(rng: np.random.Generator, seeds: int, factors: int, absent: int = 0) -> float:
    """The share of planted factors that are found, in exactly the seeds that have them."""
    means, places = planted(rng, seeds, factors, absent=absent)
    called = [each.members for each in groups(means) if each.recurring]
    return float(np.mean([place in called for place in places]))


def wrong(means: Codes) -> bool:
    """Whether any group is called recurring."""
    return any(each.recurring for each in groups(means))


def wrong_half(rng: np.random.Generator, seeds: int, factors: int) -> bool:
    """Whether a group of rotated dimensions is called recurring beside planted ones."""
    means, k = half(rng, seeds, factors)
    return any(each.recurring and min(each.members.values()) >= k for each in groups(means))


def groups(means: Codes) -> list[Group]:
    """The groups of a study; its nulls draw from a stream of their own."""
    return recurring_groups(means, seed=1)


CASES = {
    "recall": recall,
    "absent": lambda rng, s, d: recall(rng, s, d, int(s > 2)),
    "noise": lambda rng, s, d: wrong(noise(rng, s, d)),
    "rotated": lambda rng, s, d: wrong(rotated(rng, s, d)),
    "half": wrong_half,
}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=100)
    parser.add_argument("--dimensions", type=int, nargs="*", default=[4, 10])
    parser.add_argument("--only", nargs="*", default=[*CASES])
    options = parser.parse_args()
    for name in options.only:
        for d in options.dimensions:
            for s in SEEDS:
                rate = np.mean([CASES[name](np.random.default_rng([i, s, d]), s, d) for i in range(options.studies)])
                print(f"{name}, {d} factors, {s} seeds: {rate:.3f}", flush=True)
