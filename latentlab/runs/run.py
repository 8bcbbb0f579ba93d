"""A run: a folder that holds what was trained and what was found out about it. Opening one needs no torch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latentlab.errors import InputError
from latentlab.runs.config import RunConfig, read_config
from latentlab.runs.folders import no_folder, path_of
from latentlab.runs.history import last_entry, parse_step, read_history, safetensors_metadata
from latentlab.runs.identity import TRAINING
from latentlab.runs.stage import stage, stages
from latentlab.system.registry import load

if TYPE_CHECKING:
    from latentlab.browser.widgets.explore import Explore
    from latentlab.browser.widgets.map import Map
    from latentlab.codes.codes import Codes
    from latentlab.codes.decodings import Decodings
    from latentlab.codes.projections import Projection
    from latentlab.models import Model
    from latentlab.results import Score

WIDGETS = "browser/widgets"


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
        object.__setattr__(self, "path", path_of(self.path, "a run"))
        if not self.path.is_dir():
            raise no_folder(self.path, "a run folder, made by `latentlab train`")
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
        """What ``scores.json`` holds: ``scores`` by metric as JSON, ``inputs``, ``skipped``; each empty without it.

        ``summary`` is that of codes (`latentlab.runs.summary`), where it was kept.
        """
        from latentlab.runs.summary import scored

        return scored(self)

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
        from latentlab.runs.notes import read_notes

        return read_notes(self.path / "notes.json")

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
        >>> run = Run(sorted(shipped_study().glob("*/config.json"))[0].parent)
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
        >>> run = Run(sorted(shipped_study().glob("*/config.json"))[0].parent)
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
