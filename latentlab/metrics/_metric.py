"""What a metric's file declares of itself."""

from dataclasses import dataclass
from typing import Literal

from latentlab.data.dataset import FactorKind

Change = Literal["order", "sign", "scale", "scales", "shift", "monotone", "rotation", "linear"]

ALL_KINDS: tuple[FactorKind, ...] = ("categorical", "ordinal", "continuous", "circular")


@dataclass(frozen=True, slots=True)
class Metric:
    """The declaration ``METRIC`` of a metric's file: what it needs, and how to read it.

    ``needs`` fixes the arguments of the function that has the file's name:

    ========== ==========================================================================
    rows       ``(codes, factors)``; with ``posterior`` a third, the variance (n, d), where there is one
    split      ``(codes, factors, test_codes, test_factors)``
    draws      ``(codes, factors, draws, test_draws)``: rows that share one factor's value
    codes      ``(codes,)``, no factors at all
    posterior  ``(mean, variance)``, a VAE's codes with their posterior variance
    runs       ``(runs)``, the codes of several runs on the same rows
    projection ``(codes, xy)``
    labels     ``(codes, labels, test_codes, test_labels)``
    ========== ==========================================================================

    ``version`` rises when a correction changes the metric's values. From 2 on it stands in a score's settings, and
    scores of an older version are computed again. ``short`` heads a narrow column, by default the title. ``turns`` is
    false where no rotation of the codes changes what is measured, so that it cannot speak of alignment. ``threaded`` is
    true where most of the work is done by several threads without Python, so that others are computed meanwhile.

    The last four are the words of the metric's card (`latentlab metrics NAME`): ``assumes``, what must hold for the
    value to mean what it says; ``unchanged_by``, the changes of the codes that leave the value as it is, to 0.005:

    ======== =========================================================================
    order    dimensions in another order
    sign     dimensions mirrored
    scale    all dimensions times one positive number (a variance: times its square)
    scales   every dimension times a positive number of its own
    shift    a constant added to every dimension
    monotone an increasing function of every dimension
    rotation a rotation of all dimensions
    linear   an invertible linear map of all dimensions
    ======== =========================================================================

    ``too_high`` and ``too_low``: the known false positives and false negatives.
    """

    title: str
    needs: Literal["rows", "split", "draws", "codes", "posterior", "runs", "projection", "labels"]
    range: tuple[float, float]
    better: Literal["higher", "lower"] | None
    source: str
    kinds: tuple[FactorKind, ...] = ALL_KINDS
    posterior: bool = False
    version: int = 1
    short: str = ""
    turns: bool = True
    threaded: bool = False
    assumes: str = ""
    unchanged_by: tuple[Change, ...] = ()
    too_high: str = ""
    too_low: str = ""

    @property
    def heading(self) -> str:
        """What heads a narrow column."""
        return self.short or self.title

    @property
    def noted(self) -> dict[str, int]:
        """What a score's settings say of the version: nothing for the first."""
        return {} if self.version == 1 else {"version": self.version}
