"""From a model and samples to codes: one pass over the data, memory constant in the number of rows."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch.distributions import Normal

from latentlab.codes.codes import Codes
from latentlab.data import Dataset
from latentlab.data.dataset import Samples
from latentlab.errors import InputError
from latentlab.models import Autoencoder, Model, Point
from latentlab.models.autoencoder import form_of
from latentlab.models.conditions import given, told_of
from latentlab.models.networks._layers import channels_last
from latentlab.models.repeated import front, repeating
from latentlab.system.progress import Progress, silent

BLOCK = 4096
BATCH = 64  # a forward pass stays in the cache: 2.8 times the images a second of batch 256
LEAST = 4  # rows of a forward pass: fewer are multiplied by another routine, which rounds in another way
DISTORTION_ROWS = 10_000
DRAWN = 10_000
Distortion = Literal["sample", "all", "none"]
Posterior = tuple[NDArray[np.float32], NDArray[np.float32] | None]


def posteriors(model: Model, data: Dataset, workers: int) -> Iterator[Posterior]:
    """The posterior means and variances of all rows, block by block in order.

    Each block is one thread's work, reading or rendering included, and a few blocks are under way at a time: memory
    stays constant, and the number of threads changes no bits.
    """

    told = told_of(model, data)

    def work(start: int) -> Posterior:
        block = slice(start, min(start + BLOCK, len(data)))
        samples = data.read(np.arange(block.start, block.stop))
        return posterior(model, samples, None if told is None else told[block])

    waiting: deque[Future[Posterior]] = deque()
    with ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        for start in range(0, len(data), BLOCK):
            waiting.append(pool.submit(work, start))
            if len(waiting) > 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def posterior(model: Model, images: Samples, told: torch.Tensor | None = None) -> Posterior:
    """Posterior mean and variance (k, d) of samples (k, *shape) as stored; no variance from a deterministic encoder.

    ``told`` (k, m) are the conditions of a model that takes some (`told_of`). Images whose patches repeat are encoded
    by `latentlab.models.repeated`: each code is that of its image, whatever else is encoded.
    """
    first = front(model, images.shape[1:])
    repeated = repeating(images) if first else np.zeros(len(images), bool)
    rows: list[NDArray[np.intp]] = []
    found: list[Normal | Point] = []
    with torch.inference_mode():
        others = _filled(np.flatnonzero(~repeated))
        for start in range(0, len(others), BATCH):
            part = others[start : start + BATCH]
            rows.append(part)
            found.append(given(model, None if told is None else told[part]).encode(as_input(model, images[part])))
        if first is not None:
            for part in map(_filled, first.parts(images, np.flatnonzero(repeated), BATCH)):
                rows.append(part)
                found += map(first.rest().encode, first.outputs(images[part], BATCH))
    order = np.unique(np.concatenate(rows), return_index=True)[1]
    mean = np.concatenate([q.mean.float().cpu().numpy() for q in found])[order]
    spread = [q.variance.float().cpu().numpy() for q in found if not isinstance(q, Point)]
    variance = np.concatenate(spread)[order] if spread else None
    if variance is not None:
        check_variance(mean, variance)
    return mean, variance


def _filled(rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """Rows, some of them once more where the last batch would have fewer than `LEAST`: so no row's code depends on it.

    >>> [len(_filled(np.arange(count))) for count in (0, 1, 4, 64, 67)]
    [0, 4, 4, 64, 68]
    """
    last = len(rows) % BATCH
    return np.resize(rows, len(rows) + LEAST - last) if 0 < last < LEAST else rows


def check_variance(mean: NDArray[np.float32], variance: NDArray[np.float32]) -> None:
    """Raise an `InputError` where a posterior around a finite mean has no variance, or an infinite one: no rate."""
    wrong = np.isfinite(mean) & ~((variance > 0) & np.isfinite(variance))
    if wrong.any():
        raise InputError(
            f"the encoder returned a variance of {variance[wrong][0]:g}; expected a finite number above 0: keep "
            "log-variances between −87 and 88, as clamp does, or return the mean alone"
        )


def as_input(model: Model, samples: Samples) -> torch.Tensor:
    """Samples (k, *shape) as stored as the model takes them: float32, on its device and in its layout.

    Images in bytes lie in [0, 1]; what else becomes of other samples, their form says.
    """
    first = next(model.parameters(), None) if isinstance(model, torch.nn.Module) else None
    form = form_of(model, samples.shape[1:])
    x = torch.from_numpy(form.to_model(np.ascontiguousarray(samples))).to("cpu" if first is None else first.device)
    return channels_last(x) if isinstance(model, Autoencoder) and first is not None and first.ndim == 4 else x


def distortions(model: Model, images: Samples, *, seed: int, told: torch.Tensor | None = None) -> NDArray[np.float32]:
    """−log p(x|z) in nats of each sample (k,), at one seeded sample of its posterior (its mean, without a variance)."""
    with torch.inference_mode(), torch.random.fork_rng():
        torch.manual_seed(seed)
        x, model = as_input(model, images), given(model, told)
        return -model.decode(model.encode(x).rsample()).log_prob(x).float().cpu().numpy()


def judge(
    model: Model,
    data: Dataset,
    *,
    rows: int | None = None,
    distortion: bool = True,
    seed: int = 0,
    workers: int = 1,
    progress: Progress = silent,
) -> Codes:
    """The codes of at most `rows` seeded rows of `data` (all by default), with their distortion where it is asked for.

    ``distortion`` is −log p(x|z) in nats at one seeded posterior sample. Nothing is written. ``workers`` are the
    threads that encode (`latentlab.models.load.encoding_threads`).
    """
    if not len(data):
        raise InputError(f"{data.name} has no {data.form.plural}; expected at least one")
    if rows is not None and rows < len(data):
        data = data.take(np.sort(np.random.default_rng(seed).permutation(len(data))[:rows]))
    blocks = list(posteriors(model, data, workers))
    found = np.full(len(data), np.nan, np.float32)
    told = told_of(model, data) if distortion else None
    for start in range(0, len(data), BATCH) if distortion else ():
        block = slice(start, start + BATCH)
        images = data[block]
        found[block] = distortions(model, images, seed=seed + start, told=None if told is None else told[block])
        progress(start + len(images), len(data))
    return Codes(
        np.concatenate([mean for mean, _ in blocks]),
        None if blocks[0][1] is None else np.concatenate([each for _, each in blocks if each is not None]),
        data.factors,
        data.specs,
        data.labels,
        data.row_ids,
        found if distortion else None,
        label_names=data.label_names,
        row_names=data.row_names,
    )
