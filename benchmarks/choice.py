"""How often the rule for the best setting names a wrong one, and how often the right one (docs/scores.md).

Run from the repository root: ``python benchmarks/choice.py [--studies 2000] [PART …]``; the parts are null, unlike,
power, shared, coverage and seeds. Every study is simulated whole: scores of each seed of each setting, the leader, its
test against all rivals. A wrong winner is any winner where all settings have one mean, or one that is not the best.
Standard error of a rate of 5 % over 2,000 studies: 0.5 %.
"""

import argparse
from collections.abc import Callable, Iterator

import numpy as np

from latentlab.runs.differences import LEAST_FOR_BOOTSTRAP, LEVEL, MOST, Seeds, against_rivals, middle, seeds_to_decide

LEAST = 4
# Scores of mean 0 and standard deviation 1: t with three degrees of freedom is heavy-tailed, the others are bounded.
SHAPES: dict[str, Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]] = {
    "normal": lambda rng, size: rng.standard_normal(size),
    "t, 3 d.f.": lambda rng, size: rng.standard_t(3, size) / 3**0.5,
    "uniform": lambda rng, size: rng.uniform(-(3**0.5), 3**0.5, size),
    "near a bound": lambda rng, size: (rng.beta(8, 1, size) - 8 / 9) / (8 / 810) ** 0.5,
}
SEEDS = (3, 4, 5, 7, 10, 20)


def studies(
    count: int, settings: int, seeds: int | tuple[int, int], *, shape: str = "normal", widest: float = 1.0,
    lead: float = 0.0, shared: float = 0.0, paired: bool = True,
) -> Iterator[dict[str, Seeds]]:  # fmt: skip
    """Simulated studies: the first setting leads by `lead`, spreads rise from 1 to `widest`, seeds share `shared`."""
    rng = np.random.default_rng(0)
    most = max(seeds) if isinstance(seeds, tuple) else seeds
    spreads = np.geomspace(1, widest, settings)
    for _ in range(count):
        common, own = SHAPES[shape](rng, (1, most)), SHAPES[shape](rng, (settings, most))
        scores = (shared**0.5 * common + (1 - shared) ** 0.5 * own) * spreads[:, None]
        scores[0] += lead
        n = [seeds[i % 2] if isinstance(seeds, tuple) else seeds for i in range(settings)]
        start = 0 if paired else 100
        yield {f"s{i}": {i * start + j: float(row[j]) for j in range(n[i])} for i, row in enumerate(scores)}


def winner(study: dict[str, Seeds]) -> str | None:
    """The setting that the rule names best."""
    leader, differences = against_rivals(study, higher=True)
    if min(map(len, study.values())) < LEAST:
        return None
    return leader if max(each.p for each in differences if each.p is not None) <= LEVEL else None


def rate(count: int, settings: int, seeds: int | tuple[int, int], *, right: bool = False, **how: float | str) -> float:
    """The share of studies with a wrong winner, or with the right one."""
    found = [winner(study) for study in studies(count, settings, seeds, **how)]  # type: ignore[arg-type]
    return float(np.mean([each == "s0" if right else each is not None for each in found]))


def null(count: int) -> None:
    """Wrong winners where all means are equal."""
    for paired in (True, False):
        for shape in SHAPES:
            for widest in (1.0, 5.0):
                for settings in (2, 3, 6, 12):
                    n = count if settings < 6 else count // 4
                    kinds = [*SEEDS, *([(4, 20), (20, 4)] if settings == 2 else [])]
                    rates = {k: rate(n, settings, k, shape=shape, widest=widest, paired=paired) for k in kinds}
                    _show(f"null, {shape}, spreads 1 to {widest:g}, {settings} settings, paired {paired}", rates)


def unlike(count: int) -> None:
    """Wrong winners and power where two settings have other numbers of seeds, the second the wider one."""
    kinds = [(4, 20), (20, 4), (10, 4), (20, 5)]
    for shape in SHAPES:
        for widest in (1.0, 2.0, 5.0):
            rates = {k: rate(count, 2, k, shape=shape, widest=widest, paired=False) for k in kinds}
            _show(f"null, {shape}, spreads 1 to {widest:g}, unlike seeds", rates)
    found = {k: rate(count // 4, 2, k, lead=2, paired=False, right=True) for k in [(4, 4), *kinds]}
    _show("power, 2 settings, 2 deviations ahead, unlike seeds", found)


def shared(count: int) -> None:
    """Wrong winners and power where seeds share a part of their variance."""
    for part in (0.0, 0.1, 0.3, 0.6, 0.9):
        _show(f"null, 2 settings, shared {part}", {n: rate(count, 2, n, shared=part) for n in SEEDS})
        found = {n: rate(count // 2, 6, n, shared=part, lead=2, right=True) for n in SEEDS}
        _show(f"power, 6 settings, 2 deviations ahead, shared {part}", found)


def power(count: int) -> None:
    """Right winners of six settings, the leader two seed deviations ahead."""
    for paired in (True, False):
        for shape in SHAPES:
            found = {n: rate(count // 2, 6, n, shape=shape, lead=2, paired=paired, right=True) for n in SEEDS}
            _show(f"power, {shape}, 6 settings, paired {paired}", found)


def coverage(count: int) -> None:
    """Coverage of the intervals: of the leader's differences from its rivals, and of the interquartile mean."""
    designs = {
        "2 settings": {"settings": 2},
        "2, shared 0.6": {"settings": 2, "shared": 0.6},
        "6": {"settings": 6},
        "6, one 2 ahead": {"settings": 6, "lead": 2.0},
        "12": {"settings": 12},
    }
    for shape in SHAPES:
        for n in (4, 5, 10, 20):
            rates = {name: _covered(count // 4, n, shape=shape, **how) for name, how in designs.items()}
            rates |= {"interquartile mean": _held(count // 2, n, shape)} if n >= LEAST_FOR_BOOTSTRAP else {}
            _show(f"coverage, {shape}, {n} seeds", rates)


def _covered(count: int, n: int, *, settings: int, lead: float = 0.0, **how: float | str) -> float:
    held = []
    for study in studies(count, settings, n, lead=lead, **how):  # type: ignore[arg-type]
        for each in against_rivals(study, higher=True)[1]:
            true = lead * ((each.leader == "s0") - (each.rival == "s0"))
            held += [] if each.interval is None else [each.interval[0] <= true <= each.interval[1]]
    return float(np.mean(held))


def _held(count: int, n: int, shape: str) -> float:
    true = np.sort(SHAPES[shape](np.random.default_rng(1), (1_000_000,)))[250_000:750_000].mean()
    intervals = [middle("", study["s0"]).interval for study in studies(count, 1, n, shape=shape)]
    return float(np.mean([each is not None and each[0] <= true <= each[1] for each in intervals]))


def seeds(count: int) -> None:
    """The number of seeds that is said to decide, from 5 and 10 seeds, and the power that numbers of seeds have."""
    for n in (5, 10):
        needed = []
        for study in studies(count // 4, 3, n, lead=1.0):
            leader, differences = against_rivals(study, higher=True)
            rivals = [study[each.rival] for each in differences]
            needed.append(seeds_to_decide(study[leader], rivals, higher=True, least=LEAST) or MOST)
        quartiles = {f"{q} %": float(np.percentile(needed, q)) for q in (25, 50, 75)}
        _show(f"seeds needed, estimated from {n}: quartiles", quartiles)
    powers = {n: rate(count, 3, n, lead=1.0, right=True) for n in (20, 24, 28)}
    _show("power at n, 3 settings, 1 deviation ahead", powers)


def _show(what: str, rates: dict) -> None:
    print(f"{what}: " + ", ".join(f"{key} {value:.3f}" for key, value in rates.items()), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", help="null, unlike, power, shared, coverage, seeds; all by default")
    parser.add_argument("--studies", type=int, default=2000)
    options = parser.parse_args()
    for part in options.parts or ["power", "shared", "coverage", "seeds", "unlike", "null"]:
        globals()[part](options.studies)
