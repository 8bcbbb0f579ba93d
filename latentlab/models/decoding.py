"""From codes to images: traversals, one latent dimension at a time, and reconstructions."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from latentlab.codes.codes import Codes
from latentlab.codes.decodings import Decodings
from latentlab.data import Dataset
from latentlab.errors import InputError
from latentlab.models import Model
from latentlab.models.autoencoder import device_of
from latentlab.runs.run import Run

BATCH = 64
STEPS = 9
PRIOR_RANGE = 2.0
AGGREGATE_QUANTILES = (0.025, 0.975)
RECONSTRUCTED = 32
HALF_LEVEL = 1 / 510  # what is beyond [0, 1] by less makes no other grey level
Range = Literal["prior", "aggregate"]


def decode(model: Model, codes: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The likelihood's means of codes (…, d) as images (…, c, h, w) uint8, 255 for 1; values beyond [0, 1] are cut.

    Raises an `InputError` where the decoder gives something that is not a number.
    """
    return _decoded(model, codes)[0]


def _decoded(model: Model, codes: NDArray[np.float32]) -> tuple[NDArray[np.uint8], dict[str, Any]]:
    """What `decode` gives, and what a `Decodings` is to say of values that were cut: ``cut``, where there were some."""
    flat = torch.from_numpy(np.ascontiguousarray(codes, np.float32)).reshape(-1, codes.shape[-1])
    blocks, cut, low, high = [], 0, 0.0, 1.0
    with torch.inference_mode():
        for block in flat.split(BATCH):
            mean = model.decode(block.to(device_of(model))).mean
            ends = [float(end) for end in mean.aminmax()]
            if not np.isfinite(ends).all():
                raise InputError("the decoder returned values that are not finite; expected means of images in [0, 1]")
            if ends[0] < -HALF_LEVEL or ends[1] > 1 + HALF_LEVEL:
                cut += int(((mean < -HALF_LEVEL) | (mean > 1 + HALF_LEVEL)).sum())
            low, high = min(low, ends[0]), max(high, ends[1])
            blocks.append(mean.clamp(0, 1).mul(255).round().byte())
    images = torch.cat(blocks).cpu().numpy()
    told = {"cut": {"share": cut / images.size, "low": low, "high": high}} if cut else {}
    return images.reshape(*codes.shape[:-1], *images.shape[1:]), told


def traverse(
    model: Model, codes: Codes, anchor: int, *, over: Range = "prior", steps: int = STEPS, images: Dataset | None = None
) -> Decodings:
    """Change one latent dimension at a time around the code of the row at position `anchor`; keep the others.

    ``over="prior"`` goes from −2 to 2 standard deviations of the prior N(0, I); ``over="aggregate"`` from the 2.5 % to
    the 97.5 % quantile of that dimension's codes, which is the one to use where there is no prior. The images are
    (d, steps, c, h, w); the values decoded are in ``codes``.
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
    decoded, told = _decoded(model, grid)
    return Decodings(decoded, grid, originals, settings | told)


def around(
    model: Model, codes: Codes, anchors: NDArray[np.int64], *, over: Range = "aggregate", steps: int = STEPS
) -> Decodings:
    """`traverse` around the rows at several positions: images (anchors, d, steps, c, h, w)."""
    each = [traverse(model, codes, int(anchor), over=over, steps=steps) for anchor in anchors]
    settings = {"kind": "traversals", "range": over, "anchor_rows": codes.row_ids[anchors].tolist(), "steps": steps}
    return Decodings(np.stack([p.images for p in each]), np.stack([p.codes for p in each]), None, settings)


def reconstruct(model: Model, codes: Codes, data: Dataset, rows: NDArray[np.int64]) -> Decodings:
    """The images at those row positions, next to what the decoder makes of their posterior means."""
    chosen = codes.mean[rows]
    settings = {"kind": "reconstruction", "rows": codes.row_ids[rows].tolist()}
    decoded, told = _decoded(model, chosen)
    return Decodings(decoded, chosen, data[rows], settings | told)


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
