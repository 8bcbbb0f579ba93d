"""From codes to samples: traversals, one latent dimension at a time, and reconstructions."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from latentlab.codes.codes import Codes
from latentlab.codes.decodings import Decodings
from latentlab.data import Dataset, Form
from latentlab.data.dataset import Samples
from latentlab.errors import InputError
from latentlab.models import Model
from latentlab.models.autoencoder import device_of, form_of
from latentlab.models.conditions import given, told_of
from latentlab.runs.run import Run

BATCH = 64
STEPS = 9
PRIOR_RANGE = 2.0
AGGREGATE_QUANTILES = (0.025, 0.975)
RECONSTRUCTED = 32
Range = Literal["prior", "aggregate"]


def decode(model: Model, codes: NDArray[np.float32]) -> Samples:
    """Decode codes: the means of the likelihood, as samples in the values that are stored.

    Parameters
    ----------
    model : Model
        With a decoder.
    codes : array (…, d)
        What to decode.

    Returns
    -------
    array (…, *shape)
        A sample for each code: images in bytes, … Bytes are rounded and cut to their range (`Form.from_model`).

    Raises
    ------
    InputError
        Where the decoder gives something that is not a number.

    Examples
    --------
    >>> from latentlab.models import wrap
    >>> model = wrap(None, torch.nn.Unflatten(1, (1, 2, 2)), latent_dim=4, likelihood="gaussian")
    >>> decode(model, np.array([[0.0, 0.5, 1.0, 2.0]], np.float32)).ravel().tolist()
    [0, 128, 255, 255]
    """
    return _decoded(model, codes)[0]


def means(model: Model, codes: NDArray[np.float32], told: torch.Tensor | None = None) -> NDArray[np.float32]:
    """The likelihood's means of codes (…, d) as the model gives them, (…, *shape) float32.

    ``told`` (n, k) are the conditions of codes (n, d), where the model takes some (`told_of`).
    Raises an `InputError` where the decoder gives something that is not a number.
    """
    flat = torch.from_numpy(np.ascontiguousarray(codes, np.float32)).reshape(-1, codes.shape[-1])
    with torch.inference_mode():
        each = [None] * len(flat) if told is None else told.split(BATCH)
        blocks = [
            given(model, condition).decode(block.to(device_of(model))).mean.float().cpu()
            for block, condition in zip(flat.split(BATCH), each, strict=told is not None)
        ]
    found = torch.cat(blocks).numpy()
    if not np.isfinite(found).all():
        raise InputError("the decoder returned values that are not finite; expected means of samples")
    return found.reshape(*codes.shape[:-1], *found.shape[1:])


def _decoded(
    model: Model, codes: NDArray[np.float32], told: torch.Tensor | None = None
) -> tuple[Samples, Form, dict[str, Any]]:
    """What `decode` gives, its form, and what a `Decodings` is to say of values that were cut, if any were."""
    x = means(model, codes, told)
    form = form_of(model, x.shape[codes.ndim - 1 :])
    cut = form.beyond(x)
    about = (
        {"cut": {"share": cut / x.size, "low": min(0.0, float(x.min())), "high": max(1.0, float(x.max()))}}
        if cut
        else {}
    )
    return form.from_model(x), form, about


def traverse(
    model: Model, codes: Codes, anchor: int, *, over: Range = "prior", steps: int = STEPS, images: Dataset | None = None
) -> Decodings:
    """Change one latent dimension at a time around the code of one row; keep the others.

    Parameters
    ----------
    model : Model
        With a decoder.
    codes : Codes
        Of n rows and d dimensions.
    anchor : int
        The position of the row, from 0 to n − 1.
    over : {"prior", "aggregate"}
        ``prior`` goes from −2 to 2 standard deviations of the prior N(0, I); ``aggregate`` from the 2.5 % to the 97.5 %
        quantile of that dimension's codes, which is the one to use where there is no prior.
    steps : int, default 9
        How many values each dimension takes.
    images : Dataset, optional
        The samples that the codes were made of, for the original of the anchor.

    Returns
    -------
    Decodings
        Samples (d, steps, *shape); the values decoded are in ``codes``.

    Raises
    ------
    InputError
        Where there is no row at that position, or the decoder gives something that is not a number.

    Examples
    --------
    >>> from latentlab.models import wrap
    >>> model = wrap(None, torch.nn.Unflatten(1, (1, 2, 2)), latent_dim=4, likelihood="gaussian")
    >>> traverse(model, Codes(np.zeros((3, 4), np.float32)), 0, steps=5).images.shape
    (4, 5, 1, 2, 2)
    """
    if not 0 <= anchor < len(codes):
        raise InputError(f"anchor is row {anchor}, but there are rows 0 to {len(codes) - 1}")
    centre, d = codes.mean[anchor], codes.latent_dim
    if over == "prior":
        ends = np.tile([[-PRIOR_RANGE], [PRIOR_RANGE]], (1, d))
    else:
        ends = np.quantile(codes.mean, AGGREGATE_QUANTILES, axis=0)
    grid = np.tile(centre, (d, steps, 1)).astype(np.float32)
    grid[np.arange(d), :, np.arange(d)] = np.linspace(ends[0], ends[1], steps).T
    settings = {
        "kind": "traversal",
        "range": over,
        "anchor_position": int(anchor),
        "anchor_row": int(codes.row_ids[anchor]),
        "values": grid[np.arange(d), :, np.arange(d)].tolist(),
    }
    originals = None if images is None else images[anchor]
    decoded, form, told = _decoded(model, grid)
    return Decodings(decoded, grid, originals, settings | told, form)


def around(
    model: Model, codes: Codes, anchors: NDArray[np.int64], *, over: Range = "aggregate", steps: int = STEPS
) -> Decodings:
    """`traverse` around the rows at several positions: samples (anchors, d, steps, *shape)."""
    each = [traverse(model, codes, int(anchor), over=over, steps=steps) for anchor in anchors]
    settings = {"kind": "traversals", "range": over, "anchor_rows": codes.row_ids[anchors].tolist(), "steps": steps}
    images, grids = (np.stack([getattr(part, what) for part in each]) for what in ("images", "codes"))
    return Decodings(images, grids, None, settings, each[0].form)


def reconstruct(model: Model, codes: Codes, data: Dataset, rows: NDArray[np.int64]) -> Decodings:
    """The samples at those row positions, next to what the decoder makes of their posterior means."""
    chosen = codes.mean[rows]
    settings = {"kind": "reconstruction", "rows": codes.row_ids[rows].tolist()}
    decoded, form, told = _decoded(model, chosen, told_of(model, data.take(rows)))
    return Decodings(decoded, chosen, data[rows], settings | told, form)


def typical_row(codes: Codes) -> int:
    """The position of the row nearest to the median code, each dimension in units of its own spread."""
    spread = codes.mean.std(axis=0)
    scaled = (codes.mean - np.median(codes.mean, axis=0)) / np.where(spread > 0, spread, 1)
    return int(np.argmin((scaled**2).sum(axis=1)))


def _check_encoded(run: Run, codes: Codes, images: Dataset) -> None:
    """Raise an `InputError` where the codes are not those of these images."""
    made_of = codes.provenance.get("inputs", {}).get("fingerprint", {}).get("images")
    if made_of not in (None, images.fingerprint["images"]):
        raise InputError(
            f"{run.codes_path} was made from different images than those of {images.name}; encode this data first"
        )
