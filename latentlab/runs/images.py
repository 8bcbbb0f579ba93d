"""The images that codes were made from, looked up by row id: what a selection of codes looks like."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.codes.codes import located
from latentlab.codes.h5ad import read_provenance, read_rows
from latentlab.data import Code, Dataset, read_spec, reads_files
from latentlab.data.dataset import Samples
from latentlab.errors import InputError, LatentlabError
from latentlab.results import plain
from latentlab.runs.data import data_of
from latentlab.runs.folders import refuse_links
from latentlab.runs.notes import READ_ONLY
from latentlab.runs.run import Run
from latentlab.system.png import Pictures

Find = Callable[[Run, str], Dataset]


def dataset_of(run: Run) -> Dataset:
    """The data set whose codes the run holds; an `InputError` where it is not on this machine or is another one.

    It is found by the specification that was encoded (that of the training data where none is recorded), and must have
    the images that the codes were made of, by content (codes older than fingerprints: by source). Where others are let
    look (`latentlab dashboard --allow-remote`), data named by a path are not opened: a study may name any of the
    machine's.
    """
    if os.environ.get(READ_ONLY):
        refuse_links(run)
    if not run.config.has_model:
        raise InputError(f"{run.name} holds codes alone, imported without the samples that they were made of")
    if not run.encodes:
        raise InputError(f"{run.name} has no encoder: its codes are samples from the prior, not codes of images")
    provenance = read_provenance(run.codes_path)
    inputs, spec = provenance.get("inputs", {}), str(provenance.get("data") or run.config.data)
    if os.environ.get(READ_ONLY) and reads_files(read_spec(spec)):
        raise InputError(f"the images of {run.name} are files outside the study, which are not shown to other machines")
    data = data_of(run, spec)
    if inputs.get("source") not in (None, plain(data.source)) or not _holds(data, run, provenance):
        raise InputError(f"{data.spec or data.name} is not the data that {run.name} encoded")
    return data


def changed(run: Run, data: Dataset | None = None, find: Find = data_of) -> tuple[str, ...]:
    """What of the data has changed since the run's codes were made: images, factors, labels.

    ``data`` are by default what was encoded, as ``find`` finds it. Nothing has where that cannot be told: codes that
    are older than fingerprints or unreadable, data that are not here, unreadable, or made by code of the user's own.
    """
    try:
        provenance = read_provenance(run.codes_path)
        inputs, spec = provenance.get("inputs", {}), str(provenance.get("data", ""))
        recorded = inputs.get("fingerprint")
        if not recorded or (data is None and (not spec or isinstance(read_spec(spec), Code))):
            return ()
        now = part_of(find(run, spec) if data is None else data, inputs).fingerprint
    except LatentlabError:
        return ()
    return tuple(what for what in now if now[what] != recorded.get(what))


def trained_on_others(run: Run, find: Find = data_of) -> bool:
    """Whether the run was trained on other images than its data have now; False where that cannot be told."""
    config = run.config
    if not config.fingerprint or isinstance(read_spec(config.data), Code):
        return False
    try:
        return find(run, config.data).split(config.split).fingerprint["images"] != config.fingerprint
    except LatentlabError:
        return False


def part_of(data: Dataset, inputs: Mapping[str, Any]) -> Dataset:
    """The part of a data set that was encoded, as the inputs of the codes name it."""
    name, _, split = str(inputs.get("split", "")).rpartition(":")
    return data.split(split) if name == data.name and split in data.splits else data


def _holds(data: Dataset, run: Run, provenance: Mapping[str, Any]) -> bool:
    """Whether a data set has the very images that the run's codes were made of, in whatever order."""
    inputs = provenance.get("inputs", {})
    wanted = inputs.get("fingerprint", {}).get("images")
    if wanted in (None, part_of(data, inputs).fingerprint["images"]):
        return True
    places = located(data.row_ids, read_rows(run.codes_path)) if "of_rows" not in provenance else None
    return places is not None and data.take(places).fingerprint["images"] == wanted


def images_of(data: Dataset, row_ids: NDArray[np.int64]) -> Samples:
    """The samples (m, *shape) of those row ids."""
    places = located(data.row_ids, row_ids)
    if places is None:
        raise InputError(f"{data.name} does not have all of these rows; were the codes made from other data?")
    return data[places]


def pictures_of(run: Run, data: Dataset, row_ids: NDArray[np.int64]) -> Pictures:
    """The samples of those row ids as small pictures (m, 1 or 3, h, w), on the run's own scale."""
    return run.config.form.picture(images_of(data, row_ids))


def picture_of(run: Run, data: Dataset, row: int) -> Pictures:
    """The sample of one row id as a small picture (1 or 3, h, w)."""
    picture: Pictures = pictures_of(run, data, np.array([row]))[0]
    return picture
