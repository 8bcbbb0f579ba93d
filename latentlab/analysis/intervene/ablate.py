"""Ablation: a latent dimension set to one value in every row, and what the decoder loses by that."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latentlab.analysis.intervene.estimate import Estimate
from latentlab.analysis.leakage.reader import Scale

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Judge = Callable[[Floats, Ints], tuple[Floats, list[Floats]]]


@dataclass(frozen=True, slots=True)
class Ablation:
    """What setting dimension ``dim`` to one value costs, each with a 95 % interval over rows.

    ``distortion`` is the rise of −log p(x|z) at the mean code, in nats per example; ``readability`` the fall of R² with
    which each factor is read off the decoded image.
    """

    dim: int
    distortion: Estimate
    readability: Mapping[str, Estimate]


def ablations(
    codes: Floats,
    truth: Sequence[Floats],
    rows: Ints,
    judge: Judge,
    scales: Sequence[Scale],
    *,
    dims: Ints,
    centre: Floats,
    shares: Floats,
) -> list[Ablation]:
    """Each of `dims` set to its value in `centre` (d,), in the codes of rows (m,) at those positions.

    ``truth`` has the numbers that stand for each factor in these rows, ``shares`` (1 + draws, m) what each row counts
    for. ``judge`` gives the distortion and the readings of decoded codes.
    """
    names = [scale.spec.name for scale in scales]
    before = _lost(judge(codes, rows), truth)
    spread = [((each - each.mean(axis=0)) ** 2).sum(axis=1).mean() for each in truth]
    found = []
    for j in dims.tolist():
        changed = codes.copy()
        changed[:, j] = centre[j]
        lost = [shares @ (after - b) for after, b in zip(_lost(judge(changed, rows), truth), before, strict=True)]
        fall = {name: Estimate.of(each / unit) for name, each, unit in zip(names, lost[1:], spread, strict=True)}
        found.append(Ablation(j, Estimate.of(lost[0]), fall))
    return found


def _lost(judged: tuple[Floats, list[Floats]], truth: Sequence[Floats]) -> list[Floats]:
    """The distortion of each row, and for each factor the squared error of what is read."""
    distortion, readings = judged
    return [distortion, *(((read - true) ** 2).sum(axis=1) for read, true in zip(readings, truth, strict=True))]
