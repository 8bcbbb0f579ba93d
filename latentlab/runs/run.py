"""A run: a folder that holds what was trained and what was found out about it. Opening one needs no torch."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latentlab.errors import InputError, MissingError
from latentlab.runs.config import RunConfig, read_config
from latentlab.runs.history import last_entry, parse_step, read_history, safetensors_metadata
from latentlab.runs.identity import TRAINING
from latentlab.runs.stage import stage, stages
from latentlab.system.files import check_format, read_json, sha256
from latentlab.system.registry import load

if TYPE_CHECKING:
    from latentlab.browser.widgets.explore import Explore
    from latentlab.browser.widgets.map import Map
    from latentlab.codes.codes import Codes
    from latentlab.codes.decodings import Decodings
    from latentlab.codes.projections import Projection
    from latentlab.models import Model
    from latentlab.results import Score


NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}")
LONGEST_NAME = 80
LONGEST_NOTE = 2000
WIDGETS = "browser/widgets"
TEXTS = {"name": LONGEST_NAME, "note": LONGEST_NOTE}


@dataclass(frozen=True)
class Run:
    """One trained model and its analysis: a folder, in which each stage keeps a file of its own.

    Opening it reads ``config.json`` at most; it needs no torch.

    Parameters
    ----------
    path : Path or str
        The folder.

    Raises
    ------
    MissingError
        Where there is no such folder.
    InputError
        Where the folder is not one of a run.

    Examples
    --------
    >>> from latentlab.system.resources import shipped_study
    >>> run = Run(sorted(shipped_study().glob("*/config.json"))[0].parent)
    >>> run.state, run.has("encode")
    ('finished', True)
    """

    path: Path

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", _path_of(self.path, "a run"))
        if not self.path.is_dir():
            raise _no_folder(self.path, "a run folder, made by `latentlab train`")
        if not (self.path / "config.json").is_file():
            raise InputError(
                f"{self.path} is not a run folder: config.json is missing; expected a folder made by `latentlab train`"
            )

    @cached_property
    def name(self) -> str:
        """The folder's name, which is the run's name within its study."""
        return self.path.resolve().name

    @cached_property
    def config(self) -> RunConfig:
        """The resolved configuration."""
        return read_config(self.path / "config.json")

    @property
    def encodes(self) -> bool:
        """Whether there is a model with an encoder."""
        return self.config.has_model and (self.config.adapter is None or self.config.adapter.encodes)

    @property
    def decodes(self) -> bool:
        """Whether there is a model with a decoder; without one there are no traversals and no reconstructions."""
        return self.config.has_model and (self.config.adapter is None or self.config.adapter.decodes)

    @property
    def sampled(self) -> bool:
        """Whether the codes are samples from the prior: those of a model that only decodes."""
        return self.decodes and not self.encodes

    @property
    def model_path(self) -> Path:
        """``model.safetensors``: the weights alone."""
        return self.path / "model.safetensors"

    @property
    def codes_path(self) -> Path:
        """``codes.h5ad``."""
        return self.path / "codes.h5ad"

    @property
    def decodings_path(self) -> Path:
        """``decodings.h5``."""
        return self.path / "decodings.h5"

    @property
    def projections_path(self) -> Path:
        """``projections.h5``."""
        return self.path / "projections.h5"

    @property
    def scores_path(self) -> Path:
        """``scores.json``."""
        return self.path / "scores.json"

    @property
    def step(self) -> int:
        """How many steps the published weights have been trained; 0 where there are none."""
        if not self.model_path.is_file():
            return 0
        step = safetensors_metadata(self.model_path).get("step", "")
        return parse_step(step, self.model_path)

    @property
    def diverged(self) -> bool:
        """Whether training stopped because a loss was no finite number."""
        path = self.path / "history.jsonl"
        return path.is_file() and "diverged" in last_entry(path)

    @property
    def state(self) -> str:
        """``finished``, ``diverged``, ``unfinished`` (a resume continues it) or ``empty`` (no weights yet)."""
        if self.diverged:
            return "diverged"
        return "finished" if self.step >= self.config.steps else "unfinished" if self.step else "empty"

    def history(self) -> list[dict[str, Any]]:
        """The logged steps of training, oldest first; a last line that was cut off is left out.

        Returns
        -------
        list of dict
            Numbers by name, ``step`` among them; empty where nothing was logged.

        Raises
        ------
        InputError
            Where ``history.jsonl`` is damaged or too large.
        """
        path = self.path / "history.jsonl"
        lines = read_history(path) if path.is_file() else []
        return [{key: value for key, value in line.items() if key != TRAINING} for line in lines]

    def codes(self) -> Codes:
        """The latent codes in ``codes.h5ad``.

        Returns
        -------
        Codes
            Means, variances and what is known of each row.

        Raises
        ------
        MissingError
            Where the run was not encoded; it says how that is done.
        """
        from latentlab.codes.h5ad import load_codes

        return load_codes(stage("encode").path(self))

    def decodings(self) -> dict[str, Decodings]:
        """Traversals, reconstructions and other decoded samples.

        Returns
        -------
        dict of Decodings
            By name.

        Raises
        ------
        MissingError
            Where nothing was decoded; it says how that is done.
        """
        from latentlab.codes.decodings import load_decodings

        return load_decodings(stage("traverse").path(self))

    def projections(self) -> dict[str, Projection]:
        """The 2-D pictures of the codes.

        Returns
        -------
        dict of Projection
            By method: ``pca``, ``umap``.

        Raises
        ------
        MissingError
            Where the codes were not projected; it says how that is done.
        """
        from latentlab.codes.projections import load_projections

        return load_projections(stage("project").path(self))

    def scores(self) -> dict[str, Score]:
        """The scores in ``scores.json``.

        Returns
        -------
        dict of Score
            By metric.

        Raises
        ------
        MissingError
            Where the run was not scored; it says how that is done.
        InputError
            Where the file does not hold valid scores.
        """
        from latentlab.results import Score

        stage("score").path(self)
        return {name: Score.from_json(score) for name, score in self.scored["scores"].items()}

    @property
    def scored(self) -> dict[str, Any]:
        """What ``scores.json`` holds: ``scores`` by metric as JSON, ``inputs``, ``skipped``; each empty without it."""
        empty: dict[str, Any] = {"inputs": {}, "scores": {}, "skipped": {}}
        if not self.has("score"):
            return empty
        from latentlab.results import check_scores

        found = stage("score").record(self)
        try:
            check_scores(found)
        except (TypeError, KeyError, AttributeError, ValueError) as error:
            raise stage("score").damaged(self, "it does not contain valid scores") from error
        return {**empty, **{key: value for key, value in found.items() if value is not None}}

    def notes(self) -> dict[str, Any]:
        """The user's names and notes: ``{"dimensions": {"0": {"name": …, "note": …}}, "selections": {…}}``.

        Returns
        -------
        dict
            Empty where there are none.

        Raises
        ------
        InputError
            Where ``notes.json`` is not in latentlab's format.
        """
        path = self.path / "notes.json"
        found = read_json(path) if path.is_file() else {}
        if isinstance(found, dict):
            check_format(found.get("format", 1), 1, path)
        kinds = [found.get(kind, {}) for kind in ("dimensions", "selections")] if isinstance(found, dict) else [found]
        if not all(_are_notes(kind) for kind in kinds):
            raise InputError(f"{path} does not contain notes in latentlab's format; restore or remove it")
        return found

    def named(self) -> dict[str, Any]:
        """The user's notes, in which a dimension without a name of his has the one that it earned, if it did.

        Returns
        -------
        dict
            As `notes`; ``earned`` is True in the entry of a dimension whose name `latentlab explain` found.

        Raises
        ------
        InputError
            Where ``notes.json`` or ``names.json`` is damaged.
        """
        notes = self.notes()
        earned = self.read("names").earned if self.has("names") else {}
        named = dict(notes.get("dimensions", {}))
        for j, name in earned.items():
            if not named.get(str(j), {}).get("name"):
                named[str(j)] = {**named.get(str(j), {}), "name": name, "earned": True}
        return {**notes, "dimensions": named}

    def has(self, name: str) -> bool:
        """Whether the run keeps what a stage makes.

        Parameters
        ----------
        name : str
            The stage: ``encode``, ``score``, ``outliers``, …; see `stages`.

        Returns
        -------
        bool
            Whether all files of the stage are there, up to date or not.

        Raises
        ------
        InputError
            For an unknown stage.
        """
        return all((self.path / file).is_file() for file in stage(name).files)

    def read(self, name: str) -> Any:
        """What the run keeps of a stage.

        Parameters
        ----------
        name : str
            The stage: ``encode``, ``score``, ``outliers``, …; see `stages`.

        Returns
        -------
        object
            What the stage's function returns: `Codes` for ``encode``.

        Raises
        ------
        MissingError
            Where the run keeps nothing of it; it says how that is made.
        InputError
            For an unknown stage, or a damaged file.
        """
        return stage(name).read(self)

    def explore(self, *, row: int | str | None = None, adapter: str | Model | None = None) -> Explore:
        """Sliders over the dimensions in a notebook, decoded in the page: dragging asks the kernel nothing.

        It needs the extra ``notebook``. A run without weights is shown by its stored traversals, which a note says.

        Parameters
        ----------
        row : int or str, optional
            The id or name of the row to start from; by default a typical one.
        adapter : str or Model, optional
            What a run of a user's own model needs: ``FILE.py:NAME``, or the model.

        Returns
        -------
        Explore
            A widget: ``code`` is the code (d,) that is decoded, ``values`` where the sliders stand.

        Raises
        ------
        LatentlabError
            Where anywidget is not installed.
        MissingError
            Where the run was not encoded.
        InputError
            For a row that is not there, and a run with neither a model nor stored traversals.

        Examples
        --------
        >>> from latentlab.system.resources import shipped_study
        >>> run = Run(sorted(shipped_study().glob("*/config.json"))[-1].parent)
        >>> widget = run.explore()
        >>> widget.code.shape == (run.config.latent_dim,)
        True
        """
        found: Explore = load(WIDGETS, "explore").Explore(self, row=row, adapter=adapter)
        return found

    def map(self, *, method: str | None = None, by: str | None = None) -> Map:
        """All rows in a picture of the codes, in a notebook: pan, zoom, filter; a lasso gives rows as a table.

        It needs the extra ``notebook``. Pictures of rows under the pointer come from the kernel.

        Parameters
        ----------
        method : str, optional
            ``umap``, ``pca``, or ``plane`` for the two most important dimensions; by default the first that there is.
        by : str, optional
            The factor that colours the rows, by default the first.

        Returns
        -------
        Map
            A widget: ``selection`` is a DataFrame of the selected rows, with ids, factors, labels and coordinates.

        Raises
        ------
        LatentlabError
            Where anywidget is not installed.
        MissingError
            Where the run was not encoded.
        InputError
            For an unknown factor, and a projection that was not made.

        Examples
        --------
        >>> from latentlab.system.resources import shipped_study
        >>> run = Run(sorted(shipped_study().glob("*/config.json"))[-1].parent)
        >>> widget = run.map(method="plane")
        >>> widget.rows = run.codes().row_ids[:2].tolist()
        >>> len(widget.selection)
        2
        """
        found: Map = load(WIDGETS, "map").Map(self, method=method, by=by)
        return found

    def _repr_html_(self) -> str:
        from html import escape

        text = f"{self.name}: {self.config.label}, latent size {self.config.latent_dim}, {self.state}"
        text += f"; analysed: {_done(self)}"
        return f"<b>Run</b> {escape(text)}"


def _done(run: Run) -> str:
    return ", ".join(name for name in stages() if run.has(name)) or "nothing"


def _are_notes(found: Any) -> bool:
    """Whether these are entries by key, each with texts that are not too long and perhaps with rows."""
    if not isinstance(found, dict) or not all(isinstance(entry, dict) for entry in found.values()):
        return False
    texts = [(entry.get(key, ""), longest) for entry in found.values() for key, longest in TEXTS.items()]
    return all(isinstance(text, str) and len(text) <= longest for text, longest in texts)


def _path_of(given: Any, what: str) -> Path:
    if not isinstance(given, str | Path) or given == "" or "\0" in str(given):
        raise InputError(f"{given!r:.60} is not a path; expected the folder of {what}")
    return Path(given)


def _no_folder(path: Path, expected: str) -> MissingError:
    return MissingError(f"{path} {'is a file' if path.exists() else 'does not exist'}; expected {expected}")


def check_model(run: Run) -> None:
    """Raise an `InputError` where the run holds codes without a model."""
    if not run.config.has_model:
        raise InputError(
            f"{str(run.path)[-60:]} holds imported codes without a model, so nothing can be encoded or decoded; "
            "import the model itself: `latentlab import --help`"
        )


def model_hash(run: Run) -> str:
    """The SHA-256 of a run's weights: what codes and decodings record as their model."""
    check_model(run)
    if not run.model_path.is_file():
        raise MissingError(f"{run.path} has no model.safetensors; train it first: `latentlab train --out {run.path} …`")
    return sha256(run.model_path)


def refuse_links(run: Run) -> None:
    """Raise an `InputError` where a file of the run is a link that leads out of it: whoever made it chose what is read.

    For what is shown or handed to others. Whoever opens a run for himself may keep its files elsewhere.
    """
    home = run.path.resolve()
    for file in sorted(run.path.iterdir()):
        if file.is_symlink() and not Path(os.path.realpath(file)).is_relative_to(home):
            raise InputError(
                f"{file} is a link that leads out of the run, which is not exported; copy the file into the run"
            )
