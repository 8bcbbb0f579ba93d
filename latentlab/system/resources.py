"""Where the files are that are no Python modules: the dashboard's scripts and the shipped studies.

A wheel carries them inside the package (``_dashboards``, ``_artifacts``), a checkout beside it.
"""

from __future__ import annotations

from pathlib import Path

from latentlab.errors import MissingError

PACKAGE = Path(__file__).parents[1]
CHECKOUT = PACKAGE.parent


def dashboard_script() -> Path:
    """The dashboard's entry script, ``app.py``."""
    return _first([CHECKOUT / "dashboards" / "app.py", PACKAGE / "_dashboards" / "app.py"], "the dashboard")


def shipped_study() -> Path:
    """The study that comes with latentlab: the sample study of a checkout, otherwise the small one in every wheel.

    Returns
    -------
    Path
        Its folder.

    Examples
    --------
    >>> shipped_study().is_dir()
    True
    """
    folders = [CHECKOUT / "artifacts" / "scenes", CHECKOUT / "artifacts" / "mini", PACKAGE / "_artifacts" / "mini"]
    return _first(folders, "a sample study")


def teaching() -> tuple[Path, Path]:
    """The teaching notebook, and the study that it shows: a checkout's, otherwise those that every wheel has."""
    notebooks = [CHECKOUT / "docs" / "teaching.ipynb", PACKAGE / "_artifacts" / "teaching.ipynb"]
    studies = [CHECKOUT / "artifacts" / "digits-2d", PACKAGE / "_artifacts" / "digits-2d"]
    return _first(notebooks, "the teaching notebook"), _first(studies, "the study of the teaching notebook")


def _first(paths: list[Path], what: str) -> Path:
    for path in paths:
        # Beside an installed package lies a stranger's "dashboards": only our own checkout is looked at there.
        if path.exists() and (PACKAGE in path.parents or (CHECKOUT / "pyproject.toml").is_file()):
            return path
    raise MissingError(
        f"{what} is not part of this installation of latentlab; name a study: `latentlab dashboard STUDY`"
    )
