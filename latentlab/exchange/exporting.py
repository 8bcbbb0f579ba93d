"""Runs and studies for other tools and other people: one function over the formats of `exporters`."""

from __future__ import annotations

import inspect
from pathlib import Path
from types import ModuleType
from typing import Any

from latentlab.errors import InputError
from latentlab.runs.arguments import fitting
from latentlab.runs.run import Run
from latentlab.runs.study import Study, open_path
from latentlab.system import registry


def export(what: Run | Study | Path | str, out: Path | str, to: str, **options: Any) -> Path:
    """Write a run or a study in another format, as in ``export(run, "codes.parquet", "parquet")``.

    Parameters
    ----------
    what : Run, Study, Path or str
        What to export, or the path of its folder.
    out : Path or str
        The file or folder to write.
    to : str
        The format, a file of `latentlab.exchange.exporters`.
    **options
        Options of the format.

    Returns
    -------
    Path
        What was written. A folder that could not be filled is left as it was: what this call wrote there is removed,
        and nothing else.

    Raises
    ------
    InputError
        For an unknown format or option, for a study where the format takes a run, and the reverse.
    LatentlabError
        Where a library that only this format needs is not installed.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> import latentlab as ll
    >>> run = ll.train("digits", f"{mkdtemp()}/run", steps=2, latent_dim=2)
    >>> codes = ll.encode(run)
    >>> ll.export(run, f"{mkdtemp()}/codes.parquet", "parquet").name
    'codes.parquet'
    """
    module, found = _opened(what, to, options)
    module.write(found, Path(out), **options)
    return Path(out)


def left_out(what: Run | Study | Path | str, to: str, **options: Any) -> list[str]:
    """What the format leaves out of the run or study, in words; nothing where it says nothing of that."""
    module, found = _opened(what, to, options)
    return module.left_out(found, **options) if hasattr(module, "left_out") else []


def _opened(what: Run | Study | Path | str, to: str, options: dict[str, Any]) -> tuple[ModuleType, Run | Study]:
    module = registry.load("exchange/exporters", to)
    known = dict([*inspect.signature(module.write).parameters.items()][2:])
    for option, value in options.items():
        if option not in known:
            raise InputError(f"the format {to} has no option --{option}; it has: {', '.join(known) or 'none'}")
        fitting(f"{to}: {option}", value, str(known[option].annotation))
    found = what if isinstance(what, Run | Study) else open_path(what)
    takes = getattr(module, "TAKES", "run")
    if isinstance(found, Run) == (takes == "study") and takes != "runs":
        came = "a run" if isinstance(found, Run) else "a study"
        raise InputError(f"{found.path} is {came}, but {to} takes a {takes}; pass {_other(found, takes)}")
    return module, found


def _other(found: Run | Study, takes: str) -> str:
    if isinstance(found, Study):
        return f"one of its {takes}s, as in {found.path / found.runs[0].name}" if found.runs else f"a {takes}"
    return f"its parent folder, {found.path.parent}"
