"""A study: a folder of runs, and opening whichever of the two a path is."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latentlab.errors import InputError, LatentlabError, LockedFileError
from latentlab.runs.folders import NAME, no_folder, path_of
from latentlab.runs.run import WIDGETS, Run, _done
from latentlab.system.registry import load

if TYPE_CHECKING:
    from latentlab.browser.widgets.compare import Compare

BARE = "it has weights but no config.json"
LINK = "it is a link, and a study takes no run through a link"
CLOSED = "{} may not be read by this user; check its permissions, or move it elsewhere"
NAMED = "its name has more than 64 characters, a leading dot, or characters other than letters, digits, . _ and -"


@dataclass(frozen=True)
class Study:
    """A folder of runs that belong together: one data set, several settings, several seeds.

    It has a length, gives its runs in turn, and one run by its position or its name: ``study[0]``, ``study["vae-0"]``.

    Parameters
    ----------
    path : Path or str
        The folder.

    Raises
    ------
    MissingError
        Where there is no such folder.
    InputError
        Where the folder contains no run, or no run of the name that is asked for.

    Examples
    --------
    >>> from latentlab.system.resources import shipped_study
    >>> study = Study(shipped_study())
    >>> len(study) == len(study.runs), study[study[0].name].name == study[0].name
    (True, True)
    """

    path: Path

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", path_of(self.path, "a study"))
        if not self.path.is_dir():
            raise no_folder(self.path, "a study, a folder of runs made by `latentlab sweep`")
        if not self.runs and not self.broken:
            raise InputError(
                f"{self.path} is not a study: it contains no run folder; create one with `latentlab sweep`"
            )

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        """The runs that can be opened, in order of objective, β, latent size and seed."""
        return tuple(sorted((run for run, error in self._members if error is None), key=_order))

    @cached_property
    def broken(self) -> dict[str, str]:
        """The run folders whose configuration cannot be read, and why."""
        return {path.name: str(error) for path, error in self.errors.items()}

    @property
    def errors(self) -> dict[Path, InputError]:
        """What is raised where the broken runs are opened, by folder; of folders that may not be entered too."""
        return self._closed | {run.path: error for run, error in self._members if error is not None}

    @cached_property
    def left_out(self) -> dict[str, str]:
        """The folders that have files of a run and are not taken for one, and why."""
        taken = {run.path for run, _ in self._members}
        others = (folder for folder in sorted(self.path.iterdir()) if folder not in taken)
        return {folder.name: why for folder in others if (why := left_out(folder))}

    @cached_property
    def _members(self) -> list[tuple[Run, InputError | None]]:
        folders = [f for f in self._folders if f not in self._closed and (f / "config.json").is_file()]
        return [_member(Run(f)) for f in folders]

    @cached_property
    def _closed(self) -> dict[Path, InputError]:
        return {f: LockedFileError(CLOSED.format(f)) for f in self._folders if not os.access(f, os.R_OK | os.X_OK)}

    @cached_property
    def _folders(self) -> list[Path]:
        with os.scandir(self.path) as entries:
            found = [Path(e) for e in entries if NAME.fullmatch(e.name) and e.is_dir(follow_symlinks=False)]
        return sorted(found)

    def __len__(self) -> int:
        return len(self.runs)

    def __iter__(self) -> Iterator[Run]:
        return iter(self.runs)

    def __getitem__(self, which: int | str) -> Run:
        if isinstance(which, int):
            return self.runs[which]
        for run in self.runs:
            if run.name == which:
                return run
        raise InputError(f"{self.path} has no run {which!r}; it has: {', '.join(r.name for r in self.runs)}"[:200])

    def compare(self, *runs: int | str, row: int | str | None = None) -> Compare:
        """Runs side by side in a notebook: a slider moves the matched dimensions of all, decoded in the page.

        It needs the extra ``notebook``. ``ll.compare(study)`` is the table of all runs.

        Parameters
        ----------
        *runs : int or str
            Positions or names of 2 to 4 runs, the first of which has the sliders; by default the first seed of each
            setting, at most four.
        row : int or str, optional
            The id or name of a row that all have, to start from; by default a typical one.

        Returns
        -------
        Compare
            A widget: ``codes`` are the codes that are decoded, ``values`` where the sliders stand.

        Raises
        ------
        LatentlabError
            Where anywidget is not installed.
        MissingError
            Where a run was not encoded.
        InputError
            For a run or a row that is not there, and fewer than two runs that can be compared.

        Examples
        --------
        >>> from latentlab.system.resources import shipped_study
        >>> study = Study(shipped_study())
        >>> widget = study.compare("beta1-seed0", "beta4-seed0")
        >>> len(widget.codes)
        2
        """
        chosen = [self[which] for which in runs] or sorted(self, key=lambda run: not run.config.stochastic)
        found: Compare = load(WIDGETS, "compare").Compare(chosen, row=row)
        return found

    def _repr_html_(self) -> str:
        from html import escape

        rows = [(run.name, run.config.label, run.config.latent_dim, run.state, _done(run)) for run in self.runs]
        cells = ["".join(f"<td>{escape(str(value))}</td>" for value in row) for row in rows]
        cells += [f'<td>{escape(name)}</td><td colspan="4">{escape(why)}</td>' for name, why in self.broken.items()]
        head = "".join(f"<th>{title}</th>" for title in ("run", "setting", "latent size", "state", "analysed"))
        body = "".join(f"<tr>{row}</tr>" for row in cells)
        return f"<b>Study</b> {escape(str(self.path))}<table><tr>{head}</tr>{body}</table>"


def left_out(folder: Path) -> str:
    """Why a folder that has files of a run is not taken for one by its study; "" for a run and for any other folder."""
    if not folder.is_dir() or not os.access(folder, os.X_OK):
        return ""
    if not any((folder / name).is_file() for name in ("config.json", "model.safetensors")):
        return ""
    if not (folder / "config.json").is_file():
        return BARE
    return LINK if folder.is_symlink() else "" if NAME.fullmatch(folder.name) else NAMED


def _member(run: Run) -> tuple[Run, InputError | None]:
    try:
        _ = run.config
    except InputError as error:
        return run, error
    return run, None


def _order(run: Run) -> tuple[Any, ...]:
    config = run.config
    beta = -1.0 if config.beta is None else config.beta
    return (config.objective["name"] not in ("ae", "vae", "beta-vae"), beta, config.latent_dim, config.seed, run.name)


def open_path(path: Path | str) -> Run | Study:
    """The run or the study at `path`, whichever it is."""
    path = path_of(path, "a run or a study")
    if path.is_dir() and not os.access(path, os.R_OK | os.X_OK):
        raise LockedFileError(CLOSED.format(path))
    return Run(path) if (path / "config.json").is_file() or not path.is_dir() else Study(path)


def open_runs(paths: Sequence[Path | str]) -> tuple[list[Run], dict[Path, LatentlabError]]:
    """Every run that `paths` name, those of studies included, and why others cannot be opened, by folder."""
    runs: list[Run] = []
    failed: dict[Path, LatentlabError] = {}
    for path in map(Path, paths):
        try:
            opened = open_path(path)
        except InputError as error:
            failed[path] = error
            continue
        runs += [opened] if isinstance(opened, Run) else opened.runs
        failed |= {} if isinstance(opened, Run) else opened.errors
    return runs, failed
