"""Images with a part hidden, and what the model puts there: draws, their mean and how much they differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from latentlab.codes.masks import hidden
from latentlab.errors import InputError
from latentlab.figures import _images, _sheet
from latentlab.figures._text import describe
from latentlab.runs.images import dataset_of, images_of
from latentlab.runs.run import Run

if TYPE_CHECKING:
    from latentlab.models.live import Live

TITLE = "Missing pixels, filled in"
TAKES = "run"
VEIL = 128
IMAGE = 3  # axes of an image
LOW = 0.1  # acceptance below which a chain hardly moves


def prepare(
    run: Run,
    *,
    model: Live,
    part: str = "lower",
    row: int | str | None = None,
    rows: int = 4,
    draws: int = 6,
    seed: int = 0,
) -> _sheet.Sheet:
    """`rows` seeded random rows (or the one with the id `row`) with a `part` hidden: lower, upper, left, right, middle.

    Needs the images that the codes were made from, and a posterior: an `InputError` where there is none.
    """
    codes, form = run.codes(), run.config.form
    if not (1 <= rows <= 50 and 1 <= draws <= 50):
        raise InputError(f"rows is {rows}, draws is {draws}; expected 1 to 50 of each")
    places = np.random.default_rng(seed).permutation(len(codes))[:rows] if row is None else [codes.position(row)]
    ids = codes.row_ids[places]
    images = images_of(dataset_of(run), ids)
    mask = hidden(images.shape, part)
    found = model.fill(images, mask, draws=draws, seed=seed)
    pictures = form.picture(found.images)
    given = form.picture(images)
    mask = np.tile(mask, given.shape[-1] // mask.shape[-1])  # channels may lie side by side
    filled = pictures.astype(np.float64)
    mean, spread = filled.mean(axis=0), filled.std(axis=0)
    spread = spread * (255 / max(float(spread.max()), 1))  # what differs most is white
    shown = [given, np.where(mask, given.dtype.type(VEIL), given), *pictures, mean, spread]
    heads = ("image", "given", *(f"draw {k + 1}" for k in range(draws)), "mean", "sd")
    cells = np.stack([_images.rgba(np.asarray(each).round().astype(given.dtype)) for each in shown], axis=1)
    subtitle = [
        describe(run),
        f"the {part} {'half' if part != 'middle' else 'quarter'} is hidden",
        _accepted(found.settings["acceptance"]),
        f"seed {seed}",
        "sd: white where fillings differ most",
    ]
    labels, flat = tuple(f"row {each}" for each in codes.called(places)), found.codes.reshape(-1, codes.latent_dim)
    marks = {"draw": np.repeat(np.arange(draws) + 1, len(ids)), "row": np.tile(ids, draws)}
    return _sheet.Sheet(cells, labels, " · ".join(subtitle), heads, flat, marks)


def refuse(run: Run) -> None:
    """Raise an `InputError` for a run that the figure has no meaning for."""
    form = run.config.form
    if run.config.has_model and form.ndim != IMAGE:
        raise InputError(
            f"{run.name} has {form.plural}; parts can be hidden only in images. In Python: ll.live(run).fill"
        )
    if run.config.has_model and not run.config.stochastic:
        raise InputError(f"{run.name} has no posterior q(z|x), so missing pixels cannot be sampled; choose a VAE")


def _accepted(shares: list[float]) -> str:
    """How often the chains take what they propose, and whether that is too seldom.

    >>> _accepted([0.04, 0.09])
    'MCMC acceptance 4–9 % (low: draws may depend on each other)'
    """
    low, high = (f"{100 * share:.0f}" for share in (min(shares), max(shares)))
    said = f"MCMC acceptance {low}–{high} %" if low != high else f"MCMC acceptance {low} %"
    return said + (" (low: draws may depend on each other)" if min(shares) < LOW else "")


def alt(data: _sheet.Sheet) -> str:
    """The figure in words."""
    return f"Rows of {data.plural}: {', '.join(data.heads)}. {data.subtitle}. {'; '.join(data.labels)}."


interactive, static, numbers = _sheet.renderers(TITLE, alt)
