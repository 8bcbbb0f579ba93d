"""What pages read of several runs beside each other, cached as in `reads`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import reads
import streamlit as st

from latentlab.analysis.leakage.record import tables
from latentlab.codes.alignment import Overlap
from latentlab.codes.alignment import aligned as lay
from latentlab.codes.alignment import overlap as neighbours_in_common
from latentlab.codes.matching import alongside as join
from latentlab.codes.matching import match
from latentlab.codes.projections import Projection
from latentlab.runs.run import Run

OVERLAP_ROWS = 5_000


def matched(first: Run, second: Run) -> Any:
    """The dimensions of two runs, paired."""
    return _matched(_stamps((first, second), reads.CODES), (first, second))


@st.cache_data(max_entries=32, show_spinner="Matching dimensions …")
def _matched(stamps: Any, _runs: Sequence[Run]) -> Any:
    return match(*(reads.codes(run) for run in _runs))


def alongside(runs: Sequence[Run]) -> Any:
    """The dimensions of the first run, each with its partner in every other."""
    return join([matched(runs[0], run) for run in runs[1:]])


def aligned(runs: Sequence[Run], method: str) -> list[Projection]:
    """The projections of several runs, each laid over the first."""
    return _aligned(_stamps(runs, (*reads.PROJECTIONS, *reads.CODES)), method, runs)


@st.cache_resource(max_entries=8, show_spinner="Aligning projections …")
def _aligned(stamps: Any, method: str, _runs: Sequence[Run]) -> list[Projection]:
    return lay([reads.projections(run)[method] for run in _runs])


def overlap(first: Run, second: Run, row_ids: Any) -> Overlap:
    """How far the neighbourhoods of two runs' codes agree, on at most 5,000 of those rows."""
    some = row_ids if len(row_ids) <= OVERLAP_ROWS else row_ids[:: -(-len(row_ids) // OVERLAP_ROWS)]
    return _overlap(_stamps((first, second), reads.CODES), some, (first, second))


@st.cache_resource(max_entries=8, show_spinner="Searching neighbours …")
def _overlap(stamps: Any, row_ids: Any, _runs: Sequence[Run]) -> Overlap:
    first, second = (reads.codes(run) for run in _runs)
    return neighbours_in_common(first, second, row_ids)


def leakages(runs: Sequence[Run]) -> Any:
    """The leakage of every dimension of several runs, as a table."""
    return tables({run.name: reads.leakage(run) for run in runs})


def _stamps(runs: Sequence[Run], files: Sequence[str]) -> tuple[tuple[str, str], ...]:
    return tuple((str(run.path), reads.stamp(run.path, files)) for run in runs)
