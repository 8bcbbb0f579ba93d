"""Differences between settings that the noise of evaluating alone can make."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from latentlab.metrics._card import ROWS, smallest_difference
from latentlab.results import Caveat

if TYPE_CHECKING:
    import pandas as pd

    from latentlab.runs.choice import Choice


def unresolved(table: pd.DataFrame, judged: Sequence[Choice]) -> list[Caveat]:
    """A caveat for each measure by which the leader is nearer to a rival than repeated evaluations of equal codes are.

    That distance is on the metric's card for 10,000 rows (`latentlab metrics NAME`); it grows as the root of fewer
    rows and falls with the root of the seeds of each setting. Measures without a card are passed over.
    """
    rows = min(ROWS, int(table["rows"].min())) if table["rows"].notna().any() else ROWS
    caveats = []
    for each in judged:
        one = smallest_difference(each.measure, rows)
        if one is None or not each.differences:
            continue
        limit = one / math.sqrt(min(each.seeds.values()))
        near = [rival for rival in each.differences if abs(rival.difference) < limit]
        if near:
            more = f" and {len(near) - 1} more setting{'s' * (len(near) > 2)}" if len(near) > 1 else ""
            rivals = near[0].rival + more
            caveats.append(
                Caveat(
                    "unresolved difference",
                    f"by {each.measure}, {each.leader} and {rivals} differ by {abs(near[0].difference):.2g}, less than "
                    f"the {limit:.2g} by which evaluations of equal codes differ",
                    "do not rank them by it, or score more rows with more seeds",
                )
            )
    return caveats
