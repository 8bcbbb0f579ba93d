"""A metric on its arguments, and its values on hundreds of redraws, which several metrics take together."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from latentlab.analysis.score.calls import Call, Material
from latentlab.analysis.score.nulls import Mask, active_dimensions
from latentlab.analysis.score.profiles._protocol import Protocol
from latentlab.errors import InputError
from latentlab.metrics._estimators import unfinished_allowed
from latentlab.results import Score
from latentlab.system.machine import process_threads
from latentlab.system.once import unchanged

SEED = 10_000  # streams of redraws start here, far from the seeds that draw a protocol's own rows
KEPT = 0.9  # of the redraws must have a value

Draw = Callable[[Material, RandomState], Call]


@dataclass(slots=True, eq=False)
class Scored:
    """A metric on its arguments: its ``name`` and ``module``, what it was called with, and how to call it again.

    ``fellows`` are the metrics that draw the same rows, itself among them, and ``tried`` what redraws came to that
    were made for another of them. ``lent`` are the seconds that it computed for its fellows, less those that they
    computed for it.
    """

    name: str
    module: ModuleType
    material: Material
    call: Call
    draw: Draw
    protocol: Protocol
    missing: dict[str, str] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)
    fellows: Sequence[Scored] = ()
    tried: dict[str, list[tuple[float, str]]] = field(default_factory=dict)
    lent: float = 0.0
    live: Mask | None = None

    def active(self) -> Mask:
        """Which dimensions of all codes are active, found once for all fellows."""
        if self.live is None:
            found = active_dimensions(self.material)
            for each in (self, *self.fellows):
                each.live = found
        return self.live  # type: ignore[return-value]

    def score(self, call: Call | None = None) -> Score:
        """The metric's score on its arguments, or as another call has them."""
        args, options = (call or self.call)[:2]
        found: Score = getattr(self.module, self.name)(*args, **{**options, **self.protocol.settings})
        return found

    def value(self, args: Sequence[Any]) -> float:
        """The metric's value on other arguments."""
        return float(self.score(self.on(args)).value)

    def on(self, args: Sequence[Any]) -> Call:
        """The call on other arguments."""
        return self.call._replace(args=tuple(args))

    def again(self, source: Material, random: RandomState) -> float:
        """The metric's value on rows drawn again from `source`."""
        return float(self.score(self.draw(source, random)).value)

    def attempt(self, key: str, compute: Callable[[], Any]) -> Any:
        """What was computed; None where it could not be, and then the reason is kept under `key`."""
        try:
            return compute()
        except InputError as error:
            self.missing[key] = str(error)
            return None

    def redraws(
        self, key: str, n: int, drawn: Callable[[RandomState], Call], asking: Callable[[Scored], bool] | None = None
    ) -> NDArray[np.float64]:
        """The finite values of n redraws, in order; those that fail are counted, and a tenth of them may.

        Fellows that are `asking` for the same redraws are computed with them, by default none.
        """
        if key not in self.tried:
            together = [each for each in self.fellows if asking and (each is self or asking(each))] or [self]
            _try_together(self, together, key, n, drawn)
        values = np.array([value for value, _ in self.tried[key]])
        kept = values[np.isfinite(values)]
        if len(kept) < max(2, KEPT * n):
            why = next((why for _, why in self.tried[key] if why), "the value is not finite")
            raise InputError(f"{n - len(kept)} of {n} redraws failed: {why}" if len(kept) else why)
        if len(kept) < n:
            self.failed[key] = n - len(kept)
        return kept


def acquaint(metrics: Sequence[Scored]) -> None:
    """Make fellows of metrics of the same arrays that are called with the same rows whatever the seed."""
    groups: dict[Any, list[Scored]] = {}
    for each in metrics:
        if each.module.METRIC.needs in ("rows", "codes") and len(each.call.args) < 3:
            alike = (each.protocol.train, each.call.rows_from, each.call.drawn)
            groups.setdefault(alike, []).append(each)
    for group in groups.values():
        for each in group:
            each.fellows = sorted(group, key=lambda fellow: -len(fellow.call.args))


def _try_together(
    leader: Scored, together: Sequence[Scored], key: str, n: int, drawn: Callable[[RandomState], Call]
) -> None:
    """What each metric comes to on n redraws that all of them take.

    Threads change no bits, since each redraw has a stream of its own. Filters of warnings are the process's, not a
    thread's: they are set before the threads, which may set them again.
    """
    start = time.perf_counter()
    with unfinished_allowed(), ThreadPoolExecutor(min(process_threads(), 8)) as pool:
        rows = list(pool.map(lambda r: _tried(together, drawn, RandomState(SEED + r)), range(n)))
    each_took = np.sum([took for _, took in rows], axis=0)
    shares = (time.perf_counter() - start) * each_took / max(each_took.sum(), 1e-9)
    for i, (metric, share) in enumerate(zip(together, shares, strict=True)):
        metric.tried[key] = [outcomes[i] for outcomes, _ in rows]
        metric.lent -= float(share)
    leader.lent += time.perf_counter() - start


def _tried(
    together: Sequence[Scored], drawn: Callable[[RandomState], Call], random: RandomState
) -> tuple[list[tuple[float, str]], list[float]]:
    """The value of each metric on one redraw, or NaN and why there is none, and the seconds that each took."""
    try:
        call = drawn(random)
    except InputError as error:
        return [(np.nan, str(error))] * len(together), [0.0] * len(together)
    outcomes, seconds = [], []
    with unchanged():
        for metric in together:
            start = time.perf_counter()
            try:
                mine = call if len(together) == 1 else metric.on(call.args[: len(metric.call.args)])
                outcomes.append((float(metric.score(mine).value), ""))
            except InputError as error:
                outcomes.append((np.nan, str(error)))
            seconds.append(time.perf_counter() - start)
    return outcomes, seconds
