"""Data handed to another process: what they are called, with whole paths, and what they hold.

The process opens them by that, wherever it stands, and refuses what is called the same but is something else.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from typing import Any

from latentlab.data import Dataset, Spec, open_spec, read_spec
from latentlab.errors import InputError
from latentlab.results import plain


def hand_over(data: Dataset) -> dict[str, Any]:
    """The data as JSON, for `take_over`; they must have been loaded by a name or a path (``data.spec``)."""
    return {"spec": read_spec(data.spec).at().to_json(), "source": plain(data.source)}


def take_over(given: Mapping[str, Any]) -> Dataset:
    """The data that another process handed over; an `InputError` where what is called so here is something else."""
    spec = Spec.from_json(given["spec"])
    data = open_spec(spec, may_run_code=True)  # whoever handed it over has run the same file
    expect(data, given["source"])
    return data


def expect(data: Dataset, source: Mapping[str, Any]) -> None:
    """Raise an `InputError` where data say of themselves something else than that source does."""
    here, there = plain(data.source), plain(source)
    if any(here[key] != there[key] for key in here.keys() & there.keys()):
        raise InputError(
            f"{data.spec or data.name} on {platform.node()} differs from the data on the first machine; use the "
            "same file on all"
        )
