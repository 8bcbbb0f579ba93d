"""What a run's codes come to: rows, distortion, rate, active units, and what they were made from.

``scores.json`` keeps it beside the hash of the codes that it summarises, so that a list of hundreds of runs opens none
of their codes. It is believed for those very bytes alone: other codes, and those of runs without it, are read.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pydantic import ConfigDict, model_validator

from latentlab.codes.h5ad import read_summary
from latentlab.data.dataset import Rows
from latentlab.errors import attempt
from latentlab.results import check_scores
from latentlab.runs.stage import stage
from latentlab.system.files import MERGE_PATIENCE, lock, read_record, sha256, write_json
from latentlab.system.validation import Frozen, validate

if TYPE_CHECKING:
    from latentlab.runs.run import Run

KEY, OF = "summary", "codes"  # where scores keep it, and where it has the hash of its codes


class Summary(Frozen):
    """What `read_summary` reads of codes; a number that JSON does not have is kept as a word."""

    model_config = ConfigDict(allow_inf_nan=True, ser_json_inf_nan="strings")

    rows: int
    judged_rows: int
    distortion: float
    rate: float
    active_units: int | None
    factors: tuple[str, ...]
    labels: bool
    provenance: dict[str, Any]

    @property
    def inputs(self) -> dict[str, Any]:
        """What the codes say that they were made from."""
        found: dict[str, Any] = self.provenance.get("inputs", {})
        return found

    @model_validator(mode="after")
    def _named(self) -> Self:
        parts = [self.inputs]
        parts += [self.inputs.get(key, {}) for key in ("source", "fingerprint") if isinstance(self.inputs, dict)]
        if not all(isinstance(part, dict) for part in parts):
            raise ValueError("expected named values as what the codes were made from")
        return self


def scored(run: Run) -> dict[str, Any]:
    """`Run.scored`; an `InputError` where ``scores.json`` does not hold valid scores and a valid summary."""
    empty: dict[str, Any] = {"inputs": {}, "scores": {}, "skipped": {}}
    if not run.has("score"):
        return empty
    found = stage("score").record(run)
    try:
        check_scores(found)
        if found.get(KEY) is not None:
            from_record(found[KEY], run.scores_path)
    except (TypeError, KeyError, AttributeError, ValueError) as error:
        raise stage("score").damaged(run, "it does not contain valid scores") from error
    return {**empty, **{key: value for key, value in found.items() if value is not None}}


def summary_of(run: Run) -> Summary:
    """What the codes of a run come to; they are not opened where the run's scores keep it of these very codes.

    Raises `InputError` where the codes are damaged, and `MissingError` where there are none.
    """
    path = stage("encode").path(run)
    known = attempt(lambda: _kept(run), None)[0]  # whoever reads the scores is told what is wrong with them
    return known or _read(path)


def _kept(run: Run) -> Summary | None:
    found = stage("score").record(run).get(KEY)
    return from_record(found, run.scores_path) if _is_of(found, run.codes_path) else None


def _is_of(found: Any, codes: Path) -> bool:
    """Whether what scores keep as a summary is one of these very codes."""
    return isinstance(found, Mapping) and found.get(OF) == sha256(codes)


def from_record(found: Any, path: Path) -> Summary:
    """The summary that the scores in a file keep; an `InputError` where it is none."""
    fields = {key: each for key, each in found.items() if key != OF} if isinstance(found, Mapping) else found
    summary: Summary = validate(Summary, fields, str(path))
    return summary


def with_summary(record: Mapping[str, Any], codes: Path) -> dict[str, Any]:
    """A record of scores that keeps the summary of codes, whose folder is locked or not yet anybody else's."""
    summary = {OF: sha256(codes), **json.loads(_read(codes).model_dump_json())}
    return {**record, KEY: summary}


def keep_summary(run: Run) -> None:
    """Have the scores of a run keep the summary of its codes, where an older version wrote them or the codes."""
    found = stage("score").record(run).get(KEY)
    if run.has("encode") and os.access(run.path, os.W_OK) and not _is_of(found, run.codes_path):
        with lock(run.path, MERGE_PATIENCE):
            write_json(run.scores_path, with_summary(stage("score").record(run), run.codes_path))


def thin(path: Path, out: Path, row_ids: Rows, inputs: Mapping[str, Any]) -> None:
    """Publish a shared copy's ``scores.json``: the scores of the full codes, and the summary of those beside it."""
    record = read_record(path, stage("score").format)
    write_json(out, {**with_summary(record, out.with_name("codes.h5ad")), "inputs": inputs})


def _read(path: Path) -> Summary:
    summary: Summary = validate(Summary, read_summary(path), str(path))
    return summary
