"""The images that codes were made from, looked up by row id: what a selection of codes looks like."""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import NDArray

from latentlab.codes import located, read_provenance
from latentlab.data import Dataset, read_spec, reads_files
from latentlab.errors import InputError
from latentlab.notes import READ_ONLY
from latentlab.runs import Run, data_of, refuse_links
from latentlab.score import plain


def dataset_of(run: Run) -> Dataset:
    """The data set whose codes the run holds; an `InputError` where it is not on this machine or is another one.

    It is found by the specification that was encoded (that of the training data where none is recorded), and must say
    that it comes from the same source as the codes' images did. Where others are let look (`latentlab dashboard
    --allow-remote`), data named by a path are not opened: a study may name any of the machine's.
    """
    if os.environ.get(READ_ONLY):
        refuse_links(run)
    if not run.encodes:
        raise InputError(f"{run.name} has no encoder: its codes are draws from the prior, and no image has one")
    provenance = read_provenance(run.codes_path)
    inputs, spec = provenance.get("inputs", {}), str(provenance.get("data") or run.config.data)
    if os.environ.get(READ_ONLY) and reads_files(read_spec(spec)):
        raise InputError(f"the images of {run.name} are files beside the study, which is all that others are shown")
    data = data_of(run, spec)
    if inputs.get("source") not in (None, plain(data.source)):
        raise InputError(f"{data.spec or data.name} is not the data that the codes of {run.name} were made from")
    return data


def images_of(data: Dataset, row_ids: NDArray[np.int64]) -> NDArray[np.uint8]:
    """The images (m, c, h, w) uint8 of those row ids."""
    places = located(data.row_ids, row_ids)
    if places is None:
        raise InputError(f"{data.name} does not have all of these rows; were the codes made from other data?")
    return data[places]
