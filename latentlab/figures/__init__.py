"""Figures, one kind per file; the file's name is the kind's name.

Each file declares ``TITLE`` and whether it ``TAKES`` one ``"run"`` or several ``"runs"``, and defines five functions:
``prepare(run or runs, **options)`` gives a frozen holder of what is drawn, ``alt(data)`` says it in words,
``numbers(data)`` in a table, ``interactive(data)`` draws it with Plotly, ``static(data, preset)`` with Matplotlib. One
that moves yields the latter step by step as ``frames(data, preset)``. ``ll.figures.traversals(run)`` is
the Plotly figure; `export` writes any kind to a file. A kind whose ``prepare`` takes a ``model`` decodes again:
``ll.figures.manifold(run, model=ll.live(run))``; where it takes several runs, ``model=ll.live``.

What several kinds share begins with an underscore. Does not belong here: computing what is drawn and keeping it
(`analysis`), reports of several figures (`reports`), and tables and pictures that only the dashboard shows.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from html import escape
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from latentlab.errors import InputError, MissingError
from latentlab.figures import _caption, _markup
from latentlab.figures._gif import gif
from latentlab.figures._kinds import drawing
from latentlab.figures._text import short, told_levels
from latentlab.runs.arguments import fitting
from latentlab.runs.comparison import csv_of
from latentlab.runs.run import Run
from latentlab.runs.study import Study, open_path
from latentlab.system.files import write_bytes
from latentlab.system.registry import load, names

if TYPE_CHECKING:
    import plotly.graph_objects as go

PAPER = ("pdf", "svg", "png")
SUFFIXES = ("html", "pdf", "svg", "png", "csv", "txt", "gif")
ENDINGS = ".pdf, .svg, .png, .html, .csv (the numbers), .txt (in words) or .gif (traversals)"
Runs = Run | Study | Path | str | Sequence[Run]


def draw(kind: str, runs: Runs, **options: Any) -> go.Figure:
    """The interactive figure of that kind: ``draw("rate-distortion", study)``.

    Notebooks and what is exported from them show it without a setting of Plotly's.
    """
    from latentlab.figures._shown import Paper, Shown

    module, data = _prepared(kind, runs, options)
    again = partial(_interactive, module, data)
    paper = Paper(partial(_content, module, data, "png", "neurips"), again, _caption.caption(module, data))
    return Shown.of(again(), paper)


def export(kind: str, runs: Runs, path: Path | str, preset: str = "neurips", **options: Any) -> Path:
    """Write a figure to a file whose ending says as what: see `rendered`.

    A pdf, svg or png has no title in it. Its caption is written beside it: ``kl.caption.txt`` and, as LaTeX's
    ``\\caption{…}``, ``kl.caption.tex`` for ``kl.pdf``.
    """
    path = Path(path)
    suffix = path.suffix.removeprefix(".").lower()
    if suffix not in SUFFIXES:
        raise InputError(f"{path} ends in {path.suffix or 'nothing'}; expected {ENDINGS}")
    content, text = captioned(kind, runs, suffix, preset, **options)
    write_bytes(path, content)
    for ending, written in _caption.files(text).items() if suffix in PAPER else ():
        write_bytes(path.with_suffix(ending), written)
    return path


def rendered(kind: str, runs: Runs, suffix: str, preset: str = "neurips", **options: Any) -> bytes:
    """A figure as the bytes of a file.

    ``pdf``, ``svg`` and ``png`` need no browser, ``html`` is interactive and needs no network, ``csv`` has the numbers
    that are drawn, ``txt`` says it in words (an alternative text), ``gif`` moves (traversals). ``preset`` gives width,
    font and type size (icml, neurips, nature-single, nature-double) of all that is drawn with Matplotlib. The same data
    give the same bytes. ``options`` are those of the kind's ``prepare``.
    """
    return captioned(kind, runs, suffix, preset, **options)[0]


def captioned(kind: str, runs: Runs, suffix: str, preset: str = "neurips", **options: Any) -> tuple[bytes, str]:
    """What `rendered` gives, and the figure's caption."""
    from latentlab.figures import _style

    if suffix not in SUFFIXES:
        raise InputError(f"figures cannot be saved as {suffix!r}; expected {ENDINGS}")
    _style.preset(preset)
    module, data = _prepared(kind, runs, options)
    if suffix == "gif" and not hasattr(module, "frames"):
        raise InputError(f"figure {kind} is not animated, so it cannot be saved as .gif; traversals can")
    return _content(module, data, suffix, preset), _caption.caption(module, data)


def _content(module: ModuleType, data: Any, suffix: str, preset: str) -> bytes:
    """What is drawn as the bytes of a file."""
    from latentlab.figures import _style

    if suffix == "csv":
        return csv_of(module.numbers(data))
    if suffix == "txt":
        return f"{module.alt(data)}\n".encode()
    if suffix == "html":
        return page(_interactive(module, data)).encode()
    chosen = _style.preset(preset)
    with _style.rendering(chosen.size, chosen.family):
        if suffix == "gif":
            return gif(module.frames(data, preset), module.alt(data))
        figure = module.static(data, preset)
    return _style.saved(figure, suffix, module.TITLE, module.alt(data), chosen)


def _interactive(module: ModuleType, data: Any) -> go.Figure:
    """The Plotly figure, in which names are no markup; what it says of itself in ``meta`` is plain text."""
    figure = module.interactive(_markup.escaped(data))
    return figure.update_layout(meta={key: _markup.shown(text) for key, text in figure.layout.meta.items()})


def decodes(kind: str) -> bool:
    """Whether figures of that kind decode again, and so need the option ``model``."""
    model = _parameters(kind).get("model")
    return model is not None and model.default is inspect.Parameter.empty


def may_decode(kind: str) -> bool:
    """Whether figures of that kind show decoded samples, and so take the option ``model``."""
    return "model" in _parameters(kind)


def texts(kind: str) -> set[str]:
    """The options of that kind that are or may be words, such as the names of rows: their texts stay texts."""
    return {name for name, each in _parameters(kind).items() if "str" in re.split(r"\W+", str(each.annotation))}


def _parameters(kind: str) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(load("figures", kind).prepare).parameters


def page(figure: go.Figure) -> str:
    """One HTML page with the figure and all it needs in it, so that opening it sends no request."""
    meta = figure.layout.meta
    config = {"displaylogo": False, "responsive": True}
    drawn = figure.to_html(full_html=False, include_plotlyjs=True, div_id="figure", config=config)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(meta['title'])}</title></head>\n"
        '<body style="margin:16px;background:#fff">'
        f'<main role="img" aria-label="{escape(meta["alt"])}">{drawn}</main></body></html>\n'
    )


def check(kind: str, runs: Runs, options: Mapping[str, Any]) -> list[Run]:
    """The runs; an `InputError` tells what the kind refuses of them and of its options before a model is loaded."""
    given = ("run", "runs", "model")
    known = {name: each for name, each in _parameters(kind).items() if name not in given}
    for name, value in options.items():
        if name in known:
            _check_option(f"figure {kind}: {name}", value, known[name])
        elif name != "model" or not may_decode(kind):
            raise InputError(f"figure {kind} has no option {name!r}; it has: {', '.join(known) or 'none'}")
    found = _runs(runs)
    if refuse := getattr(load("figures", kind), "refuse", None):
        for run in found:
            refuse(run)
    return found


def _prepared(kind: str, runs: Runs, options: dict[str, Any]) -> tuple[ModuleType, Any]:
    module, found = load("figures", kind), check(kind, runs, options)
    _check_decoding(kind, found, options)
    if module.TAKES == "runs":
        return module, _with_channels(module.prepare(found, **options), found)
    if len(found) != 1:
        some = short(", ".join(run.name for run in found), 80)
        raise InputError(f"figure {kind} shows one run but {len(found)} came ({some}); name one of them")
    [run] = found
    data = module.prepare(run, **options)
    if may_decode(kind) and (words := told_levels(run, options.get("model"))) and hasattr(data, "subtitle"):
        data = replace(data, subtitle=f"{data.subtitle} · {words}")
    return module, _with_channels(data, found)


def _check_option(what: str, value: Any, option: inspect.Parameter) -> None:
    """Raise where a value is of another type than the option, or a count is too small: of what there is some by default
    there is at least one."""
    fitting(what, value, str(option.annotation))
    least = min(option.default, 1) if type(option.default) is int else None
    if least is not None and value < least:
        raise InputError(f"{what} is {value}; expected {least} or more")


def _check_decoding(kind: str, runs: list[Run], options: Mapping[str, Any]) -> None:
    """Raise where a kind that decodes again lacks what it needs: codes, and the model or what gives each run's."""
    if not decodes(kind):
        return
    if not any(run.has("encode") for run in runs):
        path = runs[0].path
        raise MissingError(f"{path} has no codes; compute them: `latentlab analyze {path} --only encode`")
    if "model" not in options:
        several = load("figures", kind).TAKES == "runs"
        raise InputError(f"figure {kind} needs {'model=ll.live' if several else 'the model, as in model=ll.live(run)'}")


def _with_channels(data: Any, runs: list[Run]) -> Any:
    """What is drawn, with what its samples are called, and its subtitle saying what pictures show where not all."""
    forms = [run.config.form for run in runs if run.config.has_model]
    if forms and hasattr(data, "plural"):
        smooth = {"smooth": drawing(forms[0]) is not None} if hasattr(data, "smooth") else {}
        data = replace(data, plural=forms[0].plural, **smooth)
    told = dict.fromkeys(form.shown for form in forms)
    pictured = hasattr(data, "cells") and getattr(data, "panels", None) is None
    words = " · ".join([data.subtitle, *filter(None, told)]) if pictured else ""
    return replace(data, subtitle=words) if any(told) and words else data


def _runs(given: Runs) -> list[Run]:
    opened = open_path(given) if isinstance(given, str | Path) else given
    found = [opened] if isinstance(opened, Run) else list(opened)
    if not found:
        raise InputError("there is no run to plot; expected a run, a study or a list of runs")
    return found


def _drawing(kind: str) -> Callable[..., Any]:
    module = import_module(f"{__name__}.{kind}")
    function = partial(draw, kind)
    function.__doc__ = module.__doc__
    return function


# Functions take the place of their modules here, so that figures.kl(run) is callable. All files are read at once: were
# one imported later, Python would bind the module over the function. They import plotly and matplotlib inside
# functions only.
for _name in names("figures"):
    globals()[_name] = _drawing(_name)
