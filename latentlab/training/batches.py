"""The samples of each step of a training: which rows, and getting them ready while the step before computes."""

from __future__ import annotations

import math
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from latentlab.data import Dataset, one_hot
from latentlab.data.dataset import Rows, Samples
from latentlab.models.conditions import packed
from latentlab.models.networks._layers import channels_last
from latentlab.runs.config import RunConfig

RESIDENT = 1 << 30  # bytes of samples that are kept once they were read


def bytes_of(data: Dataset) -> int:
    """How many bytes all samples take as stored."""
    return math.prod(data.shape) * np.dtype(data.form.stored).itemsize


def epoch_order(rows: int, seed: int, epoch: int, weights: NDArray[np.float64] | None = None) -> NDArray[np.int64]:
    """The order of an epoch, (rows,) int64: a function of seed and epoch alone.

    With `weights` (rows,), which sum to 1, as many rows are drawn by them, with replacement.
    """
    rng = np.random.default_rng([seed, epoch])
    return rng.permutation(rows) if weights is None else rng.choice(rows, rows, p=weights)


class Resident:
    """A data set's samples, each read once and then kept in memory."""

    def __init__(self, data: Dataset) -> None:
        self.data = data
        self.samples = np.empty(data.shape, data.form.stored)
        self.known = np.zeros(len(data), bool)

    def read(self, rows: Rows) -> Samples:
        """Samples (k, *shape) as stored."""
        missing = rows[~self.known[rows]]
        if len(missing):
            self.samples[missing] = self.data.read(missing)
            self.known[missing] = True
        return self.samples[rows]


class Batches:
    """The samples of a step as the model takes them, float32. An epoch's last rows that fill no batch are left out.

    Where the model is told conditions, they stand behind each sample (`latentlab.models.conditions.packed`).

    While one step computes, a thread reads (or renders) the next step's samples. A data set of up to 1 GiB is kept in
    memory once it has been read.
    """

    def __init__(self, data: Dataset, config: RunConfig, weights: NDArray[np.float64] | None = None) -> None:
        self.weights = weights
        self.rows, self.seed, self.size = len(data), config.seed, min(config.batch_size, len(data))
        self.hardware, self.last = config.hardware, config.steps - 1
        self.form = config.form
        self.told = None if config.conditions is None else one_hot(data, config.conditions.columns)
        self.read = Resident(data).read if bytes_of(data) <= RESIDENT else data.read
        self.epoch, self.order = -1, np.empty(0, np.int64)
        self.pool = ThreadPoolExecutor(1, thread_name_prefix="batches")
        self.coming: tuple[int, Future[Tensor]] | None = None

    def __getitem__(self, step: int) -> Tensor:
        expected, future = self.coming or (step, self._begin(step))
        x = (future if expected == step else self._begin(step)).result()
        self.coming = (step + 1, self._begin(step + 1)) if step < self.last else None
        x = x.to(self.hardware.device, non_blocking=True)
        return channels_last(x) if self.hardware.memory_format == "channels_last" and x.ndim == 4 else x

    def close(self) -> None:
        """Wait for the thread; what it still had to do is dropped."""
        self.pool.shutdown(cancel_futures=True)

    def _begin(self, step: int) -> Future[Tensor]:
        return self.pool.submit(self._make, step)

    def _make(self, step: int) -> Tensor:
        epoch, position = divmod(step, self.rows // self.size)
        if epoch != self.epoch:
            self.epoch, self.order = epoch, epoch_order(self.rows, self.seed, epoch, self.weights)
        rows = self.order[position * self.size : (position + 1) * self.size]
        # NumPy scales them: PyTorch would start threads of its own for this thread.
        x = torch.from_numpy(self.form.to_model(self.read(rows)))
        return x if self.told is None else packed(x, torch.from_numpy(self.told[rows]))
