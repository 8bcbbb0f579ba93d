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

from latentlab.errors import InputError, LatentlabError
from latentlab.reports.caveats import caveats
from latentlab.results import with_half_width
from latentlab.runs.answers import Answer, answers
from latentlab.runs.choice import RULE, Choice, better, choices
from latentlab.runs.collected import Collected, read_collected
from latentlab.runs.commands import command, commands, study_commands
from latentlab.runs.comparison import COSTS, compare, over_all_rows, summarise
from latentlab.runs.recurring import NOTE as RECURRING
from latentlab.runs.recurring import Recurring, not_recurring, recurring_in, recurring_rows
from latentlab.runs.run import Run, check_model
from latentlab.runs.seeds import first_seeds
from latentlab.runs.study import Study
from latentlab.runs.verdicts import NOTE, difference_rows, middle_rows, sentence, title_of
from latentlab.system.files import write_bytes

if TYPE_CHECKING:
    import pandas as pd
    from markupsafe import Markup

TEMPLATE = "report.html.jinja"
TRAVERSED = 24  # runs whose dimensions are shown with images: each takes some 40 kB
PRESET = "nature-double"
PAGE = 50  # rows of a table that are shown at once; the others are folded away, as many at a time


class Table(NamedTuple):
    """Headings, rows of cells as text, and a note below."""

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


class Section(NamedTuple):
    """A run's dimensions: its title, what is said of it, a table whose last cells are images, whether it is open."""

    title: str
    said: str
    table: Table | None
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
        facts=facts(table, runs),
        answers=compared.answers,
        collected=_collected(given, live),
        caveats=caveats(table),
        methods=_methods(runs),
        trained=_trained(table),
        costs=_costs(table),
        rate_distortion=figure("rate-distortion", runs),
        reconstructions=figure("reconstructions", [run for run in runs if run in first_seeds(table)]),
        scores_figure=figure("scores", runs),
        scores=scores_of(table, runs),
        rule=RULE,
        verdicts=verdicts(judged),
        differences=_rows(judged, difference_rows),
        middles=_middle_table(judged),
        recurring=_recurring(recurs),
        not_recurring=not_recurring(recurs),
        sections=_sections(table, runs, progress),
        commands=[*_commands(given), command("report", *(each.path for each in given), "-o", "report.html")],
        versions=_versions(runs),
        files=_files(runs),
        version=version("latentlab"),
        page=PAGE,
    )


def attempt(read: Callable[[], Any], otherwise: Any) -> tuple[Any, str]:
    """What `read` gives, or something else and why: one damaged file does not cost the whole report."""
    try:
        return read(), ""
    except LatentlabError as error:
        return otherwise, str(error)


def facts(table: pd.DataFrame, runs: Sequence[Run]) -> list[str]:
    data = dict.fromkeys(str(run.config.source.get("name") or Path(run.config.data).name) for run in runs)
    settings = table["setting"].dropna().nunique()
    seeds = table["seed"].dropna().nunique()
    counted = [(len(table), "run"), (settings, "setting"), (seeds, "seed")]
    return [", ".join(data) or "no data", *(f"{n} {what}{'s' * (n != 1)}" for n, what in counted), "nats per example"]


def figure(kind: str, runs: Sequence[Run], preset: str = PRESET) -> tuple[Markup | None, str]:
    """A figure as inline SVG with its caption, or why there is none."""
    from markupsafe import Markup

    from latentlab.figures import captioned
    from latentlab.reports.svg import inline

    if not runs:
        return None, "there is no run to plot"
    found, why = attempt(lambda: captioned(kind, runs, "svg", preset), None)
    if found is None:
        return None, why
    svg, caption = found
    return Markup("{}<figcaption>{}</figcaption>").format(inline(svg.decode(), kind), caption), ""


def _methods(runs: Sequence[Run]) -> tuple[str, str, str]:
    """The methods paragraph, its BibTeX, and why there is none."""
    from latentlab.reports.methods import methods

    found, why = attempt(lambda: methods(runs), None)
    return ("", "", why) if found is None else (found.text, found.bibtex, "")


def _trained(table: pd.DataFrame) -> Table:
    """One row per setting; runs of a setting that differ in more than their seed have rows of their own."""
    heads = ["setting", "seeds", "latent size", "steps", "codes", "state", "warnings"]
    alike: dict[tuple[str, ...], list[Any]] = {}
    for row in table.itertuples():
        told = (
            _text(row.setting) if _text(row.setting) != "–" else row.run, _text(row.latent_dim), _count(row.steps),
            _of(row.rows, row.of_rows), _text(row.state),
            "; ".join(filter(None, (_text(row.flags, ""), _text(row.error, "")))),
        )  # fmt: skip
        alike.setdefault(told, []).append(row.seed)
    return Table(heads, [[setting, _seeds(seeds), *rest] for (setting, *rest), seeds in alike.items()])


def _seeds(seeds: Sequence[Any]) -> str:
    """Seeds in short: ``0–4, 7``.

    >>> _seeds([4, 0, 1, 2, 7]), _seeds([3])
    ('0–2, 4, 7', '3')
    """
    known = sorted({int(seed) for seed in seeds if _text(seed) != "–"})
    parts: list[list[int]] = []
    for seed in known:
        if parts and seed == parts[-1][-1] + 1:
            parts[-1].append(seed)
        else:
            parts.append([seed])
    said = [f"{each[0]}–{each[-1]}" if len(each) > 2 else ", ".join(map(str, each)) for each in parts]
    return ", ".join(said) or "–"


def _costs(table: pd.DataFrame) -> Table:
    heads = ["setting", "seeds", "β·d/D", "distortion", "rate", "ELBO", "active units"]
    rows = [
        [row["setting"], str(row["n"]), _number(row["normalised_beta"], 4), *(_spread(row, key, 1) for key in COSTS)]
        for row in summarise(table).to_dict("records")
    ]
    return Table(heads, rows, "Mean over seeds and range over seeds.")


def scores_of(table: pd.DataFrame, runs: Sequence[Run]) -> Table:
    settings, metrics = summarise(over_all_rows(table)).to_dict("records"), table.attrs["metrics"]
    references = _references(runs)
    rows = []
    for metric in metrics:
        title, arrow = title_of(metric), {"higher": " ↑", "lower": " ↓", None: ""}[better(metric)]
        beside = [_half(table, metric), _largest(table, f"{metric}_null"), _number(references.get(metric), 3)]
        rows.append([title + arrow, *(_spread(row, metric, 3) for row in settings), *beside])
    heads = ["score", *(row["setting"] for row in settings), "interval", "rotated", "factors as codes"]
    note = (
        "Mean over seeds and range over seeds, of scores over all rows. Interval: half the widest 95 % interval of a "
        "run over redraws of its rows. Rotated: 95th percentile of randomly rotated codes. Factors as codes: score of "
        "the factors themselves under the same settings (not a bound). A dash: see the caveats."
    )
    return Table(heads, rows, note)


def verdicts(judged: Sequence[Choice]) -> list[str]:
    return [f"{each.measure}: {sentence(each)}" for each in judged]


def _rows(judged: Sequence[Choice], read: Callable[[Choice], list[dict[str, str]]], note: str = "") -> Table:
    rows = [{"score": each.measure, **row} for each in judged for row in read(each)]
    return Table(list(rows[0]) if rows else [], [list(row.values()) for row in rows], note)


def _middle_table(judged: Sequence[Choice]) -> Table:
    return _rows(judged, middle_rows, NOTE)


def _recurring(found: Recurring) -> Table:
    rows = recurring_rows(found)
    return Table(list(rows[0]) if rows else [], [list(row.values()) for row in rows], RECURRING)


def _references(runs: Sequence[Run]) -> dict[str, float]:
    found: dict[str, float] = {}
    for run in runs:
        for metric, score in attempt(run.scores, {})[0].items():
            if score.reference is not None:
                found[metric] = max(score.reference, found.get(metric, score.reference))
    return found


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

    title = f"{setting}, seed {run.config.seed} ({run.name})"
    table, why = attempt(lambda: dimensions(run.codes(), notes=attempt(run.named, {})[0]), None)
    if table is None:
        return Section(title, why, None, (), opened)
    ranked = f"ranked by {table.attrs['ranked_by']}"
    said = [ranked, f"factors read off {table.attrs['rows']:,} of {table.attrs['of_rows']:,} rows"]
    said += [] if run.config.stochastic else ["a deterministic encoder has no KL and no inactive dimension"]
    images: list[str] = []
    if with_images:
        images, why = attempt(lambda: _strips(run, table["index"].tolist()), [])
        said += [why] if why else [_range(run)]
    else:
        said.append(f"images are shown for {TRAVERSED} runs; these are in the dashboard")
    heads = ["dim", "KL, nats" if run.config.stochastic else "share of variance", "top factor", "MI", "name"]
    rows = [
        [
            row.dim, _number(row.kl if run.config.stochastic else row.share, 3),
            "inactive" if dead else _text(row.top_factor),
            " ".join(with_half_width(row.mi, row.mi_low, row.mi_high)) if row.mi == row.mi else "–",
            ": ".join(part for part in (_called(run, row), row.note) if part),
        ]
        for row, dead in zip(table.itertuples(name="Dimension"), inactive(table), strict=True)
    ]  # fmt: skip
    return Section(title, " · ".join(said), Table([*heads, *(["traversal"] * bool(images))], rows), images, opened)


def _called(run: Run, row: Any) -> str:
    """The user's name for a dimension, or the one that it earned with the AUROC of its detection."""
    if row.named_by != "detection":
        return str(row.name)
    found = run.read("names").verdicts[row.index]
    return f"{row.name} (AUROC {found.detection:.2f}, {found.interval[0]:.2f} to {found.interval[1]:.2f})"


def _part(run: Run) -> tuple[str, Any]:
    check_model(run)
    parts = run.decodings()
    found = next((over for over in ("prior", "aggregate") if f"traversals-{over}" in parts), None)
    if found is None:
        raise InputError("no traversals were decoded")
    return found, parts[f"traversals-{found}"]


def _strips(run: Run, order: Sequence[int]) -> list[str]:
    from latentlab.system.png import data_uri, strip

    _, part = _part(run)
    return [data_uri(strip(part.pictures(part.images[index]))) for index in order]


def _range(run: Run) -> str:
    over, part = _part(run)
    ends = "over the prior's range, −2 to 2" if over == "prior" else "over 2.5 % to 97.5 % of the codes"
    anchor = part.settings.get("anchor_row")
    said = [f"traversals {ends}" + (f", around row {anchor}" if anchor is not None else "")]
    return "; ".join(filter(None, [*said, run.config.form.shown]))


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
    return inline(rendered(panel.kind, runs, "svg", PRESET, **options).decode(), name)


def _versions(runs: Sequence[Run]) -> Table:
    """What the runs were trained with: one row a thing, with the runs that differ."""
    from latentlab.runs.health import environment

    found: dict[str, dict[str, list[str]]] = {}
    for run in runs:
        for key, value in attempt(partial(environment, run), {})[0].items():
            if not isinstance(value, float) and key not in ("steps", "folder"):
                found.setdefault(key, {}).setdefault(str(value), []).append(run.name)
    rows = [
        [
            key,
            "; ".join(
                value if len(which) == len(runs) else f"{value} ({_few(which)})" for value, which in values.items()
            ),
        ]
        for key, values in found.items()
    ]
    return Table(["what", "version"], rows)


def _files(runs: Sequence[Run]) -> Table:
    from latentlab.runs.health import health

    rows = []
    for run in runs:
        table, why = attempt(partial(health, run), None)
        if table is None:
            rows.append([run.name, "", "", why])
            continue
        table = table.set_index("file")
        odd = table[table["state"].isin(["stale", "damaged", "locked", "newer"])]
        states = "; ".join(f"{row.Index} {row.state}: {row.why}" for row in odd.itertuples()) or "as made"
        known = table["sha256"].to_dict()
        hashes = [str(known.get(name, ""))[:16] or "–" for name in ("model.safetensors", "codes.h5ad")]
        rows.append([run.name, *hashes, states])
    return Table(["run", "model.safetensors", "codes.h5ad", "files"], rows, "The first 16 digits of their SHA-256.")


def _few(items: Sequence[str]) -> str:
    return ", ".join(items[:3]) + (f" and {len(items) - 3} more" if len(items) > 3 else "")


def _spread(row: dict[Any, Any], key: str, digits: int) -> str:
    mean, low, high = (row.get(f"{key}_{part}") for part in ("mean", "min", "max"))
    said = _number(mean, digits)
    return said if row["n"] < 2 or said == "–" else f"{said} ({_number(low, digits)} … {_number(high, digits)})"


def _half(table: pd.DataFrame, metric: str) -> str:
    if f"{metric}_low" not in table:
        return "–"
    half = ((table[f"{metric}_high"] - table[f"{metric}_low"]) / 2).max()
    return "–" if half != half else with_half_width(0, -half, half, 3)[1]


def _largest(table: pd.DataFrame, column: str) -> str:
    return _number(table[column].max(), 3) if column in table else "–"


def _number(value: Any, digits: int) -> str:
    return "–" if value is None or value != value else f"{float(value):,.{digits}f}".replace("-", "−")


def _count(value: Any) -> str:
    return _text(value) if _text(value) == "–" else f"{int(value):,}"


def _of(rows: Any, of_rows: Any) -> str:
    return _count(rows) if _text(rows) == _text(of_rows) else f"{_count(rows)} of {_count(of_rows)}"


def _text(value: Any, otherwise: str = "–") -> str:
    return otherwise if value is None or str(value) in ("nan", "<NA>", "") else str(value)
