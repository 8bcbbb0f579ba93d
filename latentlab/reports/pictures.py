"""The pictures of documents: figures as inline SVG, and the traversals of a run's dimensions as strips."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from latentlab.errors import InputError, attempt
from latentlab.runs.run import Run
from latentlab.runs.weights import check_model

if TYPE_CHECKING:
    from markupsafe import Markup

PRESET = "nature-double"


def figure(kind: str, runs: Sequence[Run], preset: str = PRESET) -> tuple[Markup | None, str]:
    """A figure as inline SVG with its caption, or why there is none."""
    from markupsafe import Markup

    from latentlab.figures import captioned
    from latentlab.reports.svg import inline

    if not runs:
        return None, "there is no run to plot"
    found, why = attempt(lambda: captioned(kind, runs, "svg", preset), None)
    if found is None:
        return None, why
    svg, caption = found
    return Markup("{}<figcaption>{}</figcaption>").format(inline(svg.decode(), kind), caption), ""


def called(run: Run, row: Any) -> str:
    """The user's name for a dimension, or the one that it earned with the AUROC of its detection."""
    if row.named_by != "detection":
        return str(row.name)
    found = run.read("names").verdicts[row.index]
    return f"{row.name} (AUROC {found.detection:.2f}, {found.interval[0]:.2f} to {found.interval[1]:.2f})"


def traversed(run: Run) -> tuple[str, Any]:
    """Over which range the run's dimensions were traversed, and the decoded samples."""
    check_model(run)
    parts = run.decodings()
    found = next((over for over in ("prior", "aggregate") if f"traversals-{over}" in parts), None)
    if found is None:
        raise InputError("no traversals were decoded")
    return found, parts[f"traversals-{found}"]


def strips(run: Run, order: Sequence[int]) -> list[str]:
    """The traversals of these dimensions, each as the address of an image."""
    from latentlab.system.png import data_uri, strip

    _, part = traversed(run)
    return [data_uri(strip(part.pictures(part.images[index]))) for index in order]


def told_range(run: Run) -> str:
    """Over which range the traversals go and around which row, in words."""
    over, part = traversed(run)
    ends = "over the prior's range, −2 to 2" if over == "prior" else "over 2.5 % to 97.5 % of the codes"
    anchor = part.settings.get("anchor_row")
    said = [f"traversals {ends}" + (f", around row {run.codes().naming(anchor)}" if anchor is not None else "")]
    return "; ".join(filter(None, [*said, run.config.form.shown]))
