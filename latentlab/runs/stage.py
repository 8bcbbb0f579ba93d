"""The stages: what can be computed about a run, and in which files it is kept.

A stage is a folder of ``latentlab/analysis/`` whose ``__init__`` declares ``STAGE``. Whoever lists, reads, checks,
copies or describes the files of a run asks `stages`; whoever computes one goes through `latentlab.runs.kept`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from latentlab.errors import InputError, MissingError
from latentlab.system.files import check_format, read_json
from latentlab.system.registry import choose, folders, resolve

if TYPE_CHECKING:
    from latentlab.runs.run import Run

NO_MODEL = "imported codes and no model"
LACKS = {
    "encoder": "no encoder",
    "decoder": "no decoder",
    "posterior": "a deterministic encoder, and so no posterior",
}


@dataclass(frozen=True)
class Stage:
    """One thing that can be computed about a run: its files, what reads and makes them, and where they are shown.

    ``files`` has what reads each of its files, ``module:function`` of the run; `Run.read` gives the first. ``make`` is
    called with the run and those options of `analyze` that it knows. ``command`` makes the files of RUN; in that of a
    question, words after RUN are what it must be given. ``place`` orders the stages that every analysis has; a question
    (computed when asked for) has none. ``needs`` are parts of the model: ``encoder``, ``decoder``, ``posterior``.

    ``figures`` are the kinds that show it, ``page`` is its documentation (``docs/NAME.md`` where it names none),
    ``about`` and ``source`` are what `methods` says of it and cites. ``private`` says why a shared copy of a study
    leaves it out; ``thin`` cuts what is read to the rows that a copy keeps. ``format`` is the newest version of its
    files that is read here.
    """

    name: str
    files: Mapping[str, str]
    make: str
    command: str
    about: str
    source: str = ""
    place: int | None = None
    needs: tuple[str, ...] = ()
    figures: tuple[str, ...] = ()
    page: str = ""
    private: str = ""
    thin: str = ""
    format: int = 1

    @property
    def verb(self) -> str:
        """The command that makes its files: that of its name, or of the question that it is a part of."""
        return self.command.split()[0]

    @property
    def asks(self) -> str:
        """What the command must be given besides the run, as in ``--against DATA``; empty for most."""
        return self.command.partition("RUN")[2].strip() if self.place is None else ""

    def read(self, run: Run) -> Any:
        """What the run keeps of it."""
        return resolve(next(iter(self.files.values())))(run)

    def again(self, run: Run) -> str:
        """The command line that makes it."""
        if self.name == "encode" and not run.config.has_model:
            return f"latentlab import codes FILE --out {quote(str(run.path))}"
        return f"latentlab {self.command.replace('RUN', quote(str(run.path)))}"

    def lacks(self, run: Run) -> str:
        """What keeps the run's model from having it, as in ``no decoder``; empty where nothing does."""
        if self.needs and not run.config.has_model:
            return NO_MODEL
        has = {"encoder": run.encodes, "decoder": run.decodes, "posterior": run.config.stochastic}
        return next((LACKS[part] for part in self.needs if not has[part]), "")

    def check(self, run: Run) -> None:
        """Raise an `InputError` where the run's model lacks what the stage needs."""
        if why := self.lacks(run):
            *others, last = self.needs
            needed = f"{', '.join(others)} and {last}" if others else last
            raise InputError(f"{run.path} has {why}; {self.name} needs {needed}")

    def path(self, run: Run, file: str = "") -> Path:
        """Where the run keeps the file (the first by default); where it does not, an error says how it is made."""
        path = run.path / (file or next(iter(self.files)))
        if not path.is_file():
            self.check(run)
            raise MissingError(f"{path} does not exist; compute it with `{self.again(run)}`")
        return path

    def record(self, run: Run, file: str = "") -> dict[str, Any]:
        """The named values in one of its JSON files, whose format this version reads."""
        path = self.path(run, file)
        found = read_json(path)
        if not isinstance(found, dict):
            raise self.damaged(run, "it is not a JSON object", file)
        check_format(found.get("format", 1), self.format, path)
        return found

    def damaged(self, run: Run, what: str, file: str = "") -> InputError:
        """The error for a file that is not what it should be."""
        return InputError(f"{run.path / (file or next(iter(self.files)))}: {what}; recompute it: `{self.again(run)}`")


@cache
def stages() -> dict[str, Stage]:
    """Every stage by name: those of an analysis in their order, then the questions."""
    found: list[Stage] = [import_module(f"latentlab.analysis.{name}").STAGE for name in folders("analysis")]
    found.sort(key=lambda stage: (stage.place is None, stage.place, stage.name))
    return {stage.name: stage for stage in found}


def stage(name: str) -> Stage:
    """The stage of that name; an `InputError` has the nearest ones otherwise."""
    return stages()[choose(name, stages(), what="stage")]
