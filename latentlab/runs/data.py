"""The data of a run: where they are, and which rows were trained on and are analysed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latentlab.data import Dataset, read_spec
from latentlab.data.dataset import check_form
from latentlab.errors import InputError, MissingError
from latentlab.runs.run import Run
from latentlab.runs.weights import check_model
from latentlab.system.files import check_format, read_json

if TYPE_CHECKING:
    from latentlab.data import Dataset


def analysed(run: Run, data: Dataset | None = None, split: str | None = None) -> Dataset:
    """The rows to analyse: the published test split where there is one, everything otherwise, or what `split` says."""
    data = data_of(run) if data is None else data
    check_form(data, run.config.form, f"{run.path} was trained on")
    return data.split(split or ("test" if "test" in data.splits else "all"))


def trained_rows(run: Run, data: Dataset | None = None, split: str | None = None) -> Dataset:
    """The rows that the run was trained on, or the part of `data` that is named, all of it where none is."""
    split = split or (run.config.split if data is None else "all")
    found = (data_of(run) if data is None else data).split(split)
    check_form(found, run.config.form, f"{run.path} was trained on")
    return found


def companion(weights: Path) -> Path:
    """The file beside weights of rows that says which images they were made for."""
    return weights.with_name(f"{weights.name}.json")


def place(run: Run) -> str:
    """The folder that a run was trained in, where relative paths to its data start; empty where that is not known."""
    folder = environment_of(run).get("place", {}).get("folder", "")
    if not isinstance(folder, str) or "\0" in folder:
        raise InputError(f"{run.path}/environment.json does not name a folder as place; restore or remove it")
    return folder


def environment_of(run: Run) -> dict[str, dict[str, Any]]:
    """The parts of ``environment.json``: versions, machine, training, place; none where there is no such file."""
    path = run.path / "environment.json"
    found = read_json(path) if path.is_file() else {}
    if isinstance(found, dict):
        check_format(found.get("format", 1), 1, path)
    if not isinstance(found, dict) or not all(isinstance(part, dict) for part in found.values()):
        raise InputError(f"{path} does not record what the run was trained with; restore or remove it")
    return found


def same_data(run: Run, spec: str) -> bool:
    """Whether a specification, from where one stands now, names the data that the run was made for."""

    return read_spec(run.config.data).at(place(run)).resolved() == read_spec(spec).at().resolved()


def data_of(run: Run, spec: str = "") -> Dataset:
    """The data set that ``spec`` names, or what the run was trained on.

    A relative path starts in the folder that the run was trained in, while it is there: the same path may be other
    data, or none, from where one stands now. A file of the user's own that makes data is never run from here.
    """
    from latentlab.data import Code, open_spec

    check_model(run)
    named, folder = read_spec(spec or run.config.data), place(run)
    if isinstance(named, Code):
        raise InputError(
            f"the data of {run.name} are made by code, which is not run automatically; add --data {named} if "
            "you trust it"
        )
    if folder:
        try:
            return replace(open_spec(named.at(folder)), spec=str(named))
        except MissingError:
            pass
    try:
        return open_spec(named)
    except MissingError as error:
        raise MissingError(f"{named}, the data of {run.name}, were not found; name them with --data") from error
