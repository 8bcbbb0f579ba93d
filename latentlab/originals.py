"""The images that codes were made from, looked up by row id: what a selection of codes looks like."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from latentlab.codes import read_provenance
from latentlab.data import Dataset
from latentlab.errors import InputError
from latentlab.runs import Run, data_of
from latentlab.score import plain


def dataset_of(run: Run) -> Dataset:
    """The data set whose codes the run holds; an `InputError` where it is not on this machine or is another one.

    It is found by the specification that was encoded (that of the training data where none is recorded), and must say
    that it comes from the same source as the codes' images did.
    """
    provenance = read_provenance(run.codes_path)
    inputs = provenance.get("inputs", {})
    data = data_of(run, provenance.get("data") or "")
    if inputs.get("source") not in (None, plain(data.source)):
        raise InputError(f"{data.spec or data.name} is not the data that the codes of {run.name} were made from")
    return data


def images_of(data: Dataset, row_ids: NDArray[np.int64]) -> NDArray[np.uint8]:
    """The images (m, c, h, w) uint8 of those row ids."""
    places = located(data.row_ids, row_ids)
    if places is None:
        raise InputError(f"{data.name} does not have all of these rows; were the codes made from other data?")
    return data[places]


def located(known: NDArray[np.int64], wanted: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """Where each of the wanted ids (m,) stands among the known ones (n,), all different; None where one is not there.

    >>> located(np.array([40, 10, 30]), np.array([10, 40])).tolist()
    [1, 0]
    """
    last = len(known) - 1
    if (known[1:] > known[:-1]).all():  # as they mostly are: no need to order a million of them
        places = np.searchsorted(known, wanted).clip(max=last)
    else:
        order = np.argsort(known, kind="stable")
        places = order[np.searchsorted(known, wanted, sorter=order).clip(max=last)]
    return places if (known[places] == wanted).all() else None
