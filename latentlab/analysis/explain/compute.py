"""The decoder's derivative and paths through the picture: what `record` holds, computed from a model."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import t as student
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from latentlab.analysis.explain.record import Effects, straightness
from latentlab.codes.codes import Codes
from latentlab.data import Form
from latentlab.errors import InputError
from latentlab.models import Model
from latentlab.models.autoencoder import device_of, form_of
from latentlab.models.decoding import AGGREGATE_QUANTILES

ROWS = 32
STEPS = 33
BATCH = 64
NARROW = 2**-7

Images = NDArray[np.float32]


def jacobian(model: Model, codes: NDArray[np.float32]) -> Images:
    """∂x̄/∂z of the likelihood's mean at codes (m, d): (m, d, *shape), in units of the model's input.

    One derivative along each latent dimension for all codes at once, by double backward (Pearlmutter 1994): exact, and
    attention is computed by its definition for it. Where torch does not know the second derivative of a layer, or the
    decoder keeps no gradients, central differences, to about four digits. A decoder that mixes the rows of a batch is
    not differentiated rightly.
    """
    z = _tensor(model, codes).requires_grad_(True)
    with sdpa_kernel(SDPBackend.MATH):
        x = model.decode(z).mean
        try:
            return _twice_backward(x, z)
        except RuntimeError:  # no such derivative; the decoder itself has just run without an error
            return _differences(model, codes)


def _twice_backward(x: Tensor, z: Tensor) -> Images:
    dummy = torch.zeros_like(x, requires_grad=True)
    (turned,) = torch.autograd.grad(x, z, dummy, create_graph=True)
    found = []
    for j in range(z.shape[1]):
        direction = torch.zeros_like(z)
        direction[:, j] = 1
        (along,) = torch.autograd.grad(turned, dummy, direction, retain_graph=True)
        found.append(along.detach().cpu().float().numpy())
    return np.stack(found, axis=1)


def _differences(model: Model, codes: NDArray[np.float32]) -> Images:
    """The derivative by central differences; NARROW balances what rounding and curvature add in float32."""
    steps = np.eye(codes.shape[1], dtype=np.float32) * np.float32(NARROW)
    found = [(_means(model, codes + step) - _means(model, codes - step)) / np.float32(2 * NARROW) for step in steps]
    return np.stack(found, axis=1)


def measure(model: Model, codes: Codes, *, rows: int = ROWS, steps: int = STEPS, seed: int = 0) -> Effects:
    """What every latent dimension does around `rows` seeded codes, along paths of `steps` pictures each."""
    if len(codes) < 2 or rows < 1 or steps < 3:
        raise InputError(f"codes has {len(codes)} rows, rows is {rows}, steps {steps}; expected at least 2, 1 and 3")
    chosen = codes.drawn(rows, seed)
    centres = codes.mean[chosen]
    spread = codes.mean.std(axis=0, dtype=np.float64)
    ends = np.quantile(codes.mean, AGGREGATE_QUANTILES, axis=0)
    d = codes.latent_dim
    total = square = 0.0
    for start in range(0, len(centres), BATCH):
        found = np.abs(jacobian(model, centres[start : start + BATCH]).astype(np.float64))
        block = found * spread.reshape(-1, *[1] * (found.ndim - 2))
        total = total + (block.mean(axis=2) if block.ndim > 3 else block).sum(axis=0)
        square = square + (block**2).mean(axis=tuple(range(2, block.ndim))).sum(axis=0)
    form = form_of(model, found.shape[2:])
    changed, straight, shifts = [], np.empty((d, len(centres))), []
    for j in range(d):
        moved, ways = 0.0, []
        for i, centre in enumerate(centres):
            along = np.tile(centre, (steps, 1))
            along[:, j] = np.linspace(ends[0, j], ends[1, j], steps)
            path = _means(model, along)
            straight[j, i] = straightness(path.reshape(steps, -1))
            along = np.abs(np.diff(path, axis=0)).sum(axis=0)
            moved = moved + (along.mean(axis=0) if along.ndim > 1 else along)
            ways.append(path[[0, -1]])
        changed.append(moved / len(centres))
        shifts.append(_shift(form, np.stack(ways)))
    signed = form.kind != "image"
    return Effects(
        local=np.asarray(total / len(centres), np.float32),
        strength=np.sqrt(np.asarray(square) / len(centres)),
        changed=np.asarray(changed, np.float32),
        straightness=straight,
        shift=np.stack(shifts, axis=1).astype(np.float32) if signed else None,
        typical=form.from_model(_means(model, centres)).mean(axis=0, dtype=np.float32) if signed else None,
        settings={
            "rows": codes.row_ids[chosen].tolist(),
            "of_rows": len(codes),
            "steps": steps,
            "seed": seed,
            "ends": ends.T.tolist(),
        },
    )


def _shift(form: Form, ends: Images) -> NDArray[np.float64]:
    """The mean change from one end of a path to the other (m, 2, *shape) over its codes, and the mean's 95 % interval.

    (3, *shape): mean, low and high, by Student's t; both ends are NaN for a single code.
    """
    low, high = np.moveaxis(form.from_model(ends), 1, 0)
    change = form.change(low, high)
    mean, m = change.mean(axis=0), len(change)
    reach = student.ppf(0.975, m - 1) * change.std(axis=0, ddof=1) / np.sqrt(m) if m > 1 else np.full_like(mean, np.nan)
    return np.stack([mean, mean - reach, mean + reach])


def _means(model: Model, codes: NDArray[np.float32]) -> Images:
    with torch.inference_mode():
        return np.asarray(model.decode(_tensor(model, codes)).mean.float().cpu().numpy())


def _tensor(model: Model, codes: NDArray[np.float32]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(codes, np.float32)).to(device_of(model))
