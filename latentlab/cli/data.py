"""``latentlab data``."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from latentlab.cli import _console
from latentlab.errors import InputError

if TYPE_CHECKING:
    from latentlab.data import Dataset, Factor

PANEL = "Files"
SHOWN = 12  # classes or levels that are named
COLUMNS = 24  # columns that `check` shows, and as many again with a problem
WIDEST = 100
Spec = Annotated[str, typer.Argument(metavar="SPEC", help="Name of a data set, a path, or FILE.py:NAME.")]
app = typer.Typer(help="List, show, check and download data sets.", no_args_is_help=True)


@app.command("ls")
def ls(json: _console.Json = False) -> None:
    """List the named data sets and which of them need files. Example: latentlab data ls."""
    from latentlab.data import describe, files_of, names, package_of

    rows = [
        {"name": name, "what": describe(name), "files": files_of(name), "package": package_of(name)} for name in names()
    ]
    if json:
        _console.show_json({"datasets": rows})
        return
    own = [row for row in rows if not row["files"] and not row["package"]]
    for title, some in (
        ("Rendered or included, no files needed:", own),
        ("Shipped with another package, where it is installed:", [_shipped(row) for row in rows if row["package"]]),
        ("Read from published files, as --data NAME:PATH:", [row for row in rows if row["files"]]),
    ):
        _console.show(title)
        _show([(row["name"], row["what"]) for row in some], indent=2)
    _console.show(
        "Anything else: a path (a table, arrays, IDX files, a folder of images), or your own Python file, FILE.py:NAME."
    )


def _shipped(row: dict[str, str]) -> dict[str, str]:
    """The row, which says where its data come from and whether they are there."""
    from importlib.util import find_spec

    missing = "" if find_spec(row["package"]) else ", which is not installed"
    return {**row, "what": f"{row['what']} Package: {row['package']}{missing}."}


@app.command("show")
def show(spec: Spec, json: _console.Json = False) -> None:
    """Show what a data set contains. Example: latentlab data show dsprites."""
    from latentlab.data import load

    data = load(spec)
    if json:
        _console.show_json(
            {
                "name": data.name,
                "images": len(data),
                "shape": list(data.form.shape),
                "factors": [{"name": s.name, "kind": s.kind, "levels": s.levels} for s in data.specs],
                "labels": list(data.label_names) if data.labels is not None else None,
                "splits": {name: len(rows) for name, rows in data.splits.items()},
                "grid": data.grid,
                "source": dict(data.source),
            }
        )
        return
    _show(_told(data))


@app.command("check")
def check(spec: Spec, json: _console.Json = False) -> None:
    """Check a data set and list its problems. The exit status is 2 if it cannot be used.

    Example: latentlab data check my-images/
    """
    from latentlab.data import Located, read_spec
    from latentlab.data import check as examine
    from latentlab.system import quarantine

    with quarantine.strangers() if isinstance(read_spec(spec), Located) else nullcontext():
        findings = examine(spec)
    broken = [finding for finding in findings if not finding["usable"]]
    if json:
        _console.show_json({"usable": not broken, "findings": findings})
    else:
        _show([(str(each["what"]), _found(each)) for each in _first(findings)])
    if broken:
        raise InputError(str(broken[0]["problem"]))


@app.command("fetch")
def fetch(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Such as mnist, fashion-mnist or dsprites; see latentlab data ls.")
    ],
    out: Annotated[Path | None, _console.folder_to_make("Folder to download to; data/NAME by default")] = None,
    quiet: _console.Quiet = False,
) -> None:
    """Download a published data set and verify its checksum. Example: latentlab data fetch mnist."""
    from latentlab.data import fetch as download

    with _console.progress(f"fetch {name}", quiet=quiet) as report:
        folder = download(name, out or Path("data") / name, progress=report)
    _console.show(f"{folder} contains {name}; use it as --data {name}:{folder}")


def _first(findings: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The findings without the columns beyond the first, unless something is wrong with them; these are counted."""
    columns = [k for k, each in enumerate(findings) if each["what"].startswith("column ")]
    wrong = [k for k in columns[COLUMNS:] if findings[k]["problem"]][:COLUMNS]
    left = len(columns) - len(columns[:COLUMNS]) - len(wrong)
    hidden = set(columns[COLUMNS:]) - set(wrong)
    kept = [each for k, each in enumerate(findings) if k not in hidden]
    more = {"what": "columns", "found": f"{left:,} more; --json lists them", "problem": "", "usable": True}
    return [*kept, *([more] if left else [])]


def _found(finding: Mapping[str, Any]) -> str:
    """What was found; what makes the data unusable is said once, as an error."""
    return f"{finding['found']}; {finding['problem']}" if finding["problem"] and finding["usable"] else finding["found"]


def _told(data: Dataset) -> list[tuple[str, str]]:
    """What a data set holds, as lines of text."""
    told = [("name", data.name), ("samples", data.form.described(len(data)))]
    told += [("factors" if k == 0 else "", _factor(spec)) for k, spec in enumerate(data.specs)]
    if data.labels is not None:
        classes = f"{len(data.label_names):,} classes: {_some(data.label_names)}" if data.label_names else "numbers"
        told.append(("labels", classes))
    if data.splits:
        told.append(("splits", ", ".join(f"{name} {len(rows):,}" for name, rows in data.splits.items())))
    if data.grid:
        told.append(("full grid", "×".join(map(str, data.grid))))
    told += [("remark", remark) for remark in data.remarks]
    return [*told, ("source", ", ".join(f"{key} {_plain(value)}" for key, value in data.source.items()))]


def _factor(spec: Factor) -> str:
    if not spec.values:
        return f"{spec.name}: {spec.kind}"
    if isinstance(spec.values[0], str) or spec.kind == "categorical":
        return f"{spec.name}: {spec.kind}, {spec.levels:,} levels: {_some(spec.values)}"
    return f"{spec.name}: {spec.kind}, {spec.levels:,} levels from {spec.values[0]:.4g} to {spec.values[-1]:.4g}"


def _some(words: Any) -> str:
    named = [f"{word:g}" if isinstance(word, float) else str(word)[:24] for word in words[:SHOWN]]
    return ", ".join(named + (["…"] if len(words) > SHOWN else []))


def _plain(value: Any) -> str:
    """A value of a data set's source without brackets and braces, and not all of a long one."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {_plain(part)}" for key, part in value.items())
    if isinstance(value, list | tuple):
        return (
            _some([_plain(part) for part in value])
            if any(isinstance(p, list) for p in value)
            else "×".join(_plain(part) for part in value[:SHOWN])
        )
    return str(value) if len(str(value)) <= 24 else f"{str(value)[:12]}…"


def _show(entries: Sequence[tuple[str, str]], indent: int = 0) -> None:
    """Keys and their texts in two columns, wrapped to the terminal."""
    width = min(WIDEST, shutil.get_terminal_size((WIDEST, 24)).columns)
    column = max(len(key) for key, _ in entries) + 2
    for key, text in entries:
        start = f"{' ' * indent}{key:<{column}}"
        _console.show(textwrap.fill(text, width, initial_indent=start, subsequent_indent=" " * len(start)))
