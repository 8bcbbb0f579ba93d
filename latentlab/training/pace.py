"""How many threads a step is computed with: as many as pay, of those that give the same bits.

The configuration names the most. A step's gradients are computed once with each smaller number; one that gives other
bits is never used, so a run's bytes are those of its configuration however busy the machine was. Of the others, a trial
times some steps of the training each, in turn, and trials come again: what pays changes with what else runs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from statistics import median

import torch
from torch import Tensor, nn

EACH = 5  # steps of each number of threads in a trial
PAYS = 1.1  # more threads are used where they are this many times as fast
REST = 20  # a trial is followed by that many times its length without one


class Pace:
    """The threads of a training's steps: ``threads`` for the next one."""

    def __init__(self, choices: Sequence[int], clock: Callable[[], float] = time.perf_counter) -> None:
        self.choices, self.clock = sorted(choices), clock
        self.threads = self.choices[-1]
        self.times: dict[int, list[float]] = {}
        self.rests_until = float("-inf")
        self.began = 0.0

    @contextmanager
    def step(self) -> Iterator[None]:
        """Within it a step is computed, and timed where a trial is on."""
        start = self.clock()
        if len(self.choices) == 1 or start < self.rests_until:
            yield
            return
        if not self.times:
            self.began, self.times = start, {each: [] for each in self.choices}
        tried = min(self.choices, key=lambda each: len(self.times[each]))
        torch.set_num_threads(tried)
        yield
        self.times[tried].append(self.clock() - start)
        if min(map(len, self.times.values())) == EACH:
            self._choose()

    def _choose(self) -> None:
        middle = {each: median(times) for each, times in self.times.items()}
        best = min(middle.values())
        self.threads = next(each for each in self.choices if middle[each] <= best * PAYS)
        torch.set_num_threads(self.threads)
        now = self.clock()
        self.times, self.rests_until = {}, now + REST * (now - self.began)


def alike(most: int, loss: Callable[[], Tensor], model: nn.Module) -> list[int]:
    """The numbers of threads up to `most`, itself and powers of two, with which the loss has the same gradients.

    ``loss`` computes the loss of one batch, with the same noise each time. Torch is left at `most` threads, and the
    model without gradients.
    """
    expected = _gradients(most, loss, model)
    fewer = [1 << power for power in range((most - 1).bit_length())]
    same = [each for each in fewer if all(map(torch.equal, _gradients(each, loss, model), expected))]
    torch.set_num_threads(most)
    return [*same, most]


def _gradients(threads: int, loss: Callable[[], Tensor], model: nn.Module) -> list[Tensor]:
    torch.set_num_threads(threads)
    model.zero_grad(set_to_none=True)
    loss().backward()
    found = [each.grad for each in model.parameters() if each.grad is not None]
    model.zero_grad(set_to_none=True)
    return found
