"""Figures, their numbers and the commands that make them, in one ZIP: what a paper's folder needs of a study."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from importlib.metadata import version
from typing import NamedTuple

from latentlab.figures import _caption

EPOCH = (1980, 1, 1, 0, 0, 0)  # the first date that a ZIP can hold: the same panels give the same bytes


class Panel(NamedTuple):
    """One thing to hand on: what it is called, what is said of it, the command, its figure and numbers if it has any.

    ``figure`` is a PDF, ``numbers`` a CSV; ``missing`` says why one of them is not there. ``caption`` is for under the
    figure, which has no title in it.
    """

    title: str
    said: str = ""
    command: str = ""
    figure: bytes | None = None
    numbers: bytes | None = None
    missing: str = ""
    caption: str = ""


def bundle(panels: Sequence[Panel], *, preset: str) -> bytes:
    """A ZIP of every panel's ``NN-title.pdf`` and ``.csv``, numbered in order, and a ``README.md`` with the commands.

    The caption of a figure is next to it as text and as LaTeX's ``\\caption{…}``.

    >>> import zipfile, io
    >>> found = bundle([Panel("KL per dimension", command="latentlab figure kl …", numbers=b"a")], preset="icml")
    >>> zipfile.ZipFile(io.BytesIO(found)).namelist()
    ['README.md', '01-kl-per-dimension.csv']
    """
    files = {"README.md": _readme(panels, preset).encode()}
    for name, panel in _named(panels):
        files |= {f"{name}.pdf": panel.figure} if panel.figure is not None else {}
        files |= {f"{name}{ending}": text for ending, text in _caption.files(panel.caption).items() if panel.caption}
        files |= {f"{name}.csv": panel.numbers} if panel.numbers is not None else {}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, EPOCH), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _named(panels: Sequence[Panel]) -> list[tuple[str, Panel]]:
    return [(f"{number:02d}-{_plain(panel.title)}", panel) for number, panel in enumerate(panels, start=1)]


def _plain(title: str) -> str:
    """A title as part of a file's name."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower().replace("β", "beta")).strip("-")[:60] or "panel"


def _readme(panels: Sequence[Panel], preset: str) -> str:
    lines = [
        "# Figures and their numbers",
        "",
        f"Column width: {preset}. Made with latentlab {version('latentlab')}. The caption of a figure is next to "
        "it, as .caption.txt and .caption.tex.",
        "",
    ]
    for name, panel in _named(panels):
        kinds = [f"{name}.pdf"] * (panel.figure is not None) + [f"{name}.csv"] * (panel.numbers is not None)
        # Indented by four, a line is text and nothing else in Markdown, whatever a run or a note is called.
        told = [f"    {text}" for text in (panel.title, panel.said, *kinds, panel.missing, panel.command) if text]
        lines += [f"## {name}", "", *(" ".join(text.splitlines()) for text in told), ""]
    return "\n".join(lines)
