"""A study's story as one HTML file that asks nobody for anything: no script, no request, figures as inline SVG.

Plotly's library would be 5 MB in every report for the sake of hovering; the numbers stand in tables instead, and
``latentlab figure … -o x.html`` is interactive. Every string is escaped by Jinja (autoescape); the SVG is our own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from latentlab.errors import InputError, attempt
from latentlab.reports import pictures, tables
from latentlab.reports.caveats import caveats
from latentlab.results import with_half_width
from latentlab.runs.answers import Answer, answers
from latentlab.runs.choice import RULE, Choice, choices
from latentlab.runs.collected import Collected, read_collected
from latentlab.runs.commands import command, commands, study_commands
from latentlab.runs.comparison import compare
from latentlab.runs.config import seeded
from latentlab.runs.recurring import Recurring, not_recurring, recurring_in
from latentlab.runs.run import Run
from latentlab.runs.seeds import first_seeds
from latentlab.runs.study import Study
from latentlab.runs.verdicts import difference_rows
from latentlab.system.files import write_bytes

if TYPE_CHECKING:
    import pandas as pd
    from markupsafe import Markup

TEMPLATE = "report.html.jinja"
TRAVERSED = 24  # runs whose dimensions are shown with images: each takes some 40 kB
PAGE = 50  # rows of a table that are shown at once; the others are folded away, as many at a time


class Section(NamedTuple):
    """A run's dimensions: its title, what is said of it, a table whose last cells are images, whether it is open."""

    title: str
    said: str
    table: tables.Table | None
    images: Sequence[str]
    opened: bool


def report(
    what: Run | Study | Iterable[Run | Study],
    path: Path | str,
    *,
    title: str | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    live: Callable[[Run], Any] | None = None,
) -> Path:
    """Write the report of a run, a study or several of them to `path`, an ``.html`` file, whole or not at all.

    Training, rate and distortion, each run's dimensions with traversals, scores with intervals, nulls and
    what the factors reach as codes, what to beware of, the commands that made it all, versions and hashes. What
    cannot be read or was not made says so in its place; the same runs give the same bytes. Raises `InputError` for
    another ending and where there is no run at all. ``progress`` is told of every run whose dimensions are done,
    and of how many there are. ``live`` (`ll.live`) gives the model of a run whose collected panel decodes again.
    """
    write_report(what, path, title=title, progress=progress, live=live)
    return Path(path)


def write_report(
    what: Run | Study | Iterable[Run | Study],
    path: Path | str,
    *,
    title: str | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    live: Callable[[Run], Any] | None = None,
) -> pd.DataFrame:
    """What `report` does; the table of the runs comes back, with what could not be read of them."""
    path = Path(path)
    if path.suffix not in (".html", ".htm"):
        raise InputError(f"{path} ends in {path.suffix or 'nothing'}; expected an .html file")
    given = [what] if isinstance(what, Run | Study) else list(what)
    compared = compared_runs(given)
    write_bytes(path, page(given, compared, title, progress, live).encode())
    return compared.table


class Compared(NamedTuple):
    """What is said of the runs together: `compare`'s table, `choices`, `recurring_in` and `answers` of it."""

    table: pd.DataFrame
    choices: Sequence[Choice]
    recurring: Recurring
    answers: Sequence[Answer]


def compared_runs(given: Sequence[Run | Study]) -> Compared:
    """The runs compared; an `InputError` where there is none."""
    table = compare(given)
    chosen, recurs = choices(table), recurring_in(table)
    return Compared(table, chosen, recurs, answers(table, chosen, recurs))


def page(
    given: Sequence[Run | Study],
    compared: Compared,
    title: str | None,
    progress: Callable[[int, int], None],
    live: Callable[[Run], Any] | None,
    beside: Mapping[str, str] | None = None,
) -> str:
    """The report as HTML, with links to what lies ``beside`` it: addresses by title."""
    from jinja2 import Environment, PackageLoader

    table, recurs = compared.table, compared.recurring
    judged = [each for each in compared.choices if each.differences]
    runs = [run for each in given for run in (each.runs if isinstance(each, Study) else [each])]
    environment = Environment(loader=PackageLoader("latentlab", "reports"), autoescape=True, trim_blocks=True)
    named = " and ".join(each.path.resolve().name for each in given)
    return environment.get_template(TEMPLATE).render(
        title=title or named,
        beside=beside or {},
        facts=tables.facts(table, runs),
        answers=compared.answers,
        collected=_collected(given, live),
        caveats=caveats(table),
        methods=_methods(runs),
        trained=tables.trained(table),
        costs=tables.costs(table),
        rate_distortion=pictures.figure("rate-distortion", runs),
        reconstructions=pictures.figure("reconstructions", [run for run in runs if run in first_seeds(table)]),
        scores_figure=pictures.figure("scores", runs),
        scores=tables.scores(table, runs),
        rule=RULE,
        verdicts=tables.verdicts(judged),
        differences=tables.of_choices(judged, difference_rows),
        middles=tables.middles(judged),
        recurring=tables.recurring(recurs),
        not_recurring=not_recurring(recurs),
        sections=_sections(table, runs, progress),
        commands=[*_commands(given), command("report", *(each.path for each in given), "-o", "report.html")],
        versions=tables.versions(runs),
        files=tables.files(runs),
        version=version("latentlab"),
        page=PAGE,
    )


def _methods(runs: Sequence[Run]) -> tuple[str, str, str]:
    """The methods paragraph, its BibTeX, and why there is none."""
    from latentlab.reports.methods import methods

    found, why = attempt(lambda: methods(runs), None)
    return ("", "", why) if found is None else (found.text, found.bibtex, "")


def _sections(table: pd.DataFrame, runs: Sequence[Run], progress: Callable[[int, int], None]) -> list[Section]:
    first = {run.path for run in first_seeds(table)}
    # Those shown open come first in the count, so that every setting has its images.
    order = sorted(runs, key=lambda run: run.path not in first)
    traversed = {run.path for run in order[:TRAVERSED]}
    setting = dict(zip(table["path"], table["setting"], strict=True))
    found = []
    for done, run in enumerate(runs, start=1):
        found.append(_section(run, str(setting[str(run.path)]), run.path in traversed, run.path in first))
        progress(done, len(runs))
    return found


def _section(run: Run, setting: str, with_images: bool, opened: bool) -> Section:
    from latentlab.codes.dimensions import dimensions
    from latentlab.figures._text import inactive

    title = f"{seeded(setting, run.config.seed)} ({run.name})"
    table, why = attempt(lambda: dimensions(run.codes(), notes=attempt(run.named, {})[0]), None)
    if table is None:
        return Section(title, why, None, (), opened)
    ranked = f"ranked by {table.attrs['ranked_by']}"
    said = [ranked, f"factors read from {table.attrs['rows']:,} of {table.attrs['of_rows']:,} rows"]
    said += [] if run.config.stochastic else ["a deterministic encoder has no KL and no inactive dimension"]
    images: list[str] = []
    if with_images:
        images, why = attempt(lambda: pictures.strips(run, table["index"].tolist()), [])
        said += [why] if why else [pictures.told_range(run)]
    else:
        said.append(f"images are shown for {TRAVERSED} runs; these are in the dashboard")
    heads = ["dim", "KL, nats" if run.config.stochastic else "share of variance", "top factor", "MI", "name"]
    rows = [
        [
            row.dim, tables.number(row.kl if run.config.stochastic else row.share, 3),
            "inactive" if dead else tables.text(row.top_factor),
            " ".join(with_half_width(row.mi, row.mi_low, row.mi_high)) if row.mi == row.mi else "–",
            ": ".join(part for part in (pictures.called(run, row), row.note) if part),
        ]
        for row, dead in zip(table.itertuples(name="Dimension"), inactive(table), strict=True)
    ]  # fmt: skip
    return Section(
        title, " · ".join(said), tables.Table([*heads, *(["traversal"] * bool(images))], rows), images, opened
    )


def _commands(given: Sequence[Run | Study]) -> list[str]:
    """Those of each study or run, once each; a run that cannot say its own is left to the list of caveats."""
    lines = [
        line
        for each in given
        for line in (study_commands(each) if isinstance(each, Study) else attempt(partial(commands, each), [])[0])
    ]
    return list(dict.fromkeys(lines))


def _collected(
    given: Sequence[Run | Study], live: Callable[[Run], Any] | None
) -> list[tuple[Collected, Markup | None, str]]:
    """The panels that were collected in the dashboard, each drawn again, or why it cannot be."""
    found: list[tuple[Collected, Markup | None, str]] = []
    for study in given:
        if isinstance(study, Study):
            panels, why = attempt(partial(read_collected, study), ())
            found += [(Collected("Collected panels"), None, why)] if why else []
            for panel in panels:
                drawn, why = attempt(partial(_panel, study, panel, f"collected-{len(found)}", live), None)
                found.append((panel, drawn, why))
    return found


def _panel(study: Study, panel: Collected, name: str, live: Callable[[Run], Any] | None) -> Markup | None:
    from latentlab.figures import decodes, rendered
    from latentlab.reports.svg import inline

    if not panel.kind:
        return None
    runs, options = panel.runs_of(study), dict(panel.options)
    if live is not None and decodes(panel.kind) and len(runs) == 1 and runs[0].has("encode"):
        options["model"] = live(runs[0])
    return inline(rendered(panel.kind, runs, "svg", pictures.PRESET, **options).decode(), name)
