"""``latentlab publish``: a study as a folder of web pages."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from latentlab.codes.dimensions import dimensions
from latentlab.errors import InputError, attempt
from latentlab.models.live import live
from latentlab.reports.html import compared_runs
from latentlab.reports.html import page as report_page
from latentlab.reports.site import pages
from latentlab.reports.site.decoders import moved
from latentlab.reports.site.folder import replacing
from latentlab.reports.site.rows import Mapped
from latentlab.runs.comparison import errors_of
from latentlab.runs.run import Run
from latentlab.runs.seeds import first_seeds
from latentlab.runs.study import Study
from latentlab.serving.shown import as_study
from latentlab.system.files import write_bytes

ROWS, MOST_ROWS = 2_000, 10_000  # of a map, each with its picture


def publish(
    what: Run | Study | Path | str,
    out: Path | str,
    *,
    rows: int = ROWS,
    weights: bool = True,
    title: str | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Path:
    """Write a study as a folder of web pages that need no server and make no request to any other site.

    Parameters
    ----------
    what : Run, Study, Path or str
        The study, or a single run, or the path of its folder.
    out : Path or str
        The folder: a new one, or one that was published before and not changed since.
    rows : int, default 2000
        At most how many rows a map shows, from 1 to 10,000; their pictures are published with them.
    weights : bool, default True
        Whether decoders, and with them their weights, are published. Without them sliders show stored traversals.
    title : str, optional
        Of the pages; the folder's name by default.
    progress : callable, optional
        Told how many of several steps are done, and of how many.

    Returns
    -------
    Path
        The folder. It is there whole or not at all; the same study gives the same bytes.

    Raises
    ------
    InputError
        Where the folder holds anything that was not published, no run can be opened, or ``rows`` is out of range.
    LatentlabError
        While another process publishes to the same folder.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> import latentlab as ll
    >>> run = ll.train("digits", f"{mkdtemp()}/run", steps=2, latent_dim=2)
    >>> codes = ll.encode(run)
    >>> site = ll.publish(run, f"{mkdtemp()}/site", rows=100)
    >>> sorted(path.name for path in site.glob("*.html"))
    ['compare.html', 'dimensions.html', 'index.html', 'map.html', 'report.html', 'scores.html']
    """
    write_site(what, out, rows=rows, weights=weights, title=title, progress=progress)
    return Path(out)


def write_site(
    what: Run | Study | Path | str,
    out: Path | str,
    *,
    rows: int = ROWS,
    weights: bool = True,
    title: str | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Any]:
    """What `publish` does; what was published comes back: how much of what, and what is left out and why."""
    if not 1 <= rows <= MOST_ROWS:
        raise InputError(f"rows is {rows}; expected 1 to {MOST_ROWS:,} rows for a map")
    study = as_study(Path(what if isinstance(what, Path | str) else what.path))
    if not study.runs:
        raise InputError(f"no run of {study.path} can be opened; `latentlab doctor {study.path}` says why")
    with replacing(Path(out)) as folder:
        files, told = _site(study, rows, weights, title or study.path.resolve().name, progress)
        for name, content in files.items():
            write_bytes(folder / name, content)
    return {**told, "files": len(files), "bytes": sum(map(len, files.values()))}


def _site(
    study: Study, rows: int, weights: bool, title: str, progress: Callable[[int, int], None]
) -> tuple[dict[str, bytes], dict[str, Any]]:
    """The content of every file, and what was published in words and numbers."""
    count = len(study.runs)
    compared = compared_runs([study])
    unread = set(errors_of(compared.table))
    first = {run.path for run in first_seeds(compared.table)}
    # Where not every run can be shown, every setting has one.
    runs = sorted(study.runs, key=lambda run: run.path not in first)
    tables = {run.name: table for run in study.runs if (table := _ranked(run)) is not None}
    steps = partial(_part_of, progress, 3 * count)
    together, still = moved(runs, tables, weights=weights, progress=steps(0))
    together = {run.name: together[run.name] for run in study.runs if run.name in together}
    mapped = _mapped(study, tables, rows, steps(count))
    told = pages.Told(study, title, compared, tables, unread, still, mapped.left)
    text = report_page([study], compared, title, steps(2 * count), live if weights else None, pages.NAMES)
    files = {
        "index.html": pages.overview(told, together),
        "compare.html": pages.comparison(told, together),
        "map.html": pages.explorer(told, mapped.maps),
        "dimensions.html": pages.dimensions(told),
        "scores.html": pages.scores(told),
        "report.html": text,
        "README.txt": pages.readme(title, version("latentlab")),
        **{f"data/compare-{name}.js": _loaded(f"compare-{name}", each) for name, each in together.items()},
        **{f"data/map-{name}.js": _loaded(f"map-{name}", each) for name, each in mapped.maps.items()},
        **{f"data/rows-{k}.js": _loaded(f"rows-{k}", each) for k, each in enumerate(mapped.sheets)},
    }
    decoders = sum(each["decoder"]["kind"] == "network" for each in together.values())
    pictured = max((len(each["rows"]) for each in mapped.sheets), default=0)
    counted = {"runs": count, "decoders": decoders, "stored": len(together) - decoders, "pictures": pictured}
    return {name: each.encode() for name, each in files.items()}, {**counted, "not_moved": still}


def _ranked(run: Run) -> Any:
    """The run's dimensions, by importance; None where its codes cannot be read or are not there."""
    if not run.has("encode"):
        return None
    return attempt(lambda: dimensions(run.codes(), notes=attempt(run.named, {})[0]), None)[0]


def _mapped(study: Study, tables: Mapping[str, Any], rows: int, progress: Callable[[int, int], None]) -> Mapped:
    found = Mapped(rows)
    for done, run in enumerate(study.runs, start=1):
        if run.name in tables:
            found.add(run, tables[run.name]["index"].tolist())
        progress(done, len(study.runs))
    return found


def _part_of(progress: Callable[[int, int], None], total: int, before: int) -> Callable[[int, int], None]:
    return lambda done, of: progress(before + done, total)


def _loaded(name: str, content: Any) -> str:
    """A script that hands its content to the page: scripts may be read beside a page that lies on a disk, data not."""
    return f"latentlab.take({json.dumps(name)}, {json.dumps(content, allow_nan=False, separators=(',', ':'))});\n"
