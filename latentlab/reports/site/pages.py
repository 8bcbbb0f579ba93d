"""The pages of a published study, from what was made of it: templates beside this file, filled and escaped by Jinja.

A page carries its own style and script, and the hash of the script in its policy. What is large lies in ``data/`` and
is loaded when it is asked for, by a script element: a page from a disk may not fetch.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latentlab.browser.scripts import script, style
from latentlab.codes.dimensions import clearest
from latentlab.errors import attempt
from latentlab.figures import _style
from latentlab.figures._text import inactive
from latentlab.reports import pictures, tables
from latentlab.reports.html import Compared
from latentlab.reports.terms import meaning
from latentlab.results import with_half_width
from latentlab.runs.choice import RULE, better
from latentlab.runs.collected import read_collected
from latentlab.runs.config import seeded
from latentlab.runs.recurring import not_recurring
from latentlab.runs.run import Run
from latentlab.runs.seeds import below_nulls, distance, first_seeds
from latentlab.runs.study import Study
from latentlab.runs.verdicts import difference_rows, heading_of, title_of

if TYPE_CHECKING:
    import pandas as pd
    from markupsafe import Markup

HERE = Path(__file__).parent
NAMES = {
    "Overview": "index.html",
    "Compare": "compare.html",
    "Map": "map.html",
    "Dimensions": "dimensions.html",
    "Scores": "scores.html",
    "Report": "report.html",
}
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
CURVE = "neurips"  # narrower than a report's figures, so that its letters can be read in half a page
BEST = 3  # dimensions of a run on the overview
PICTURED = 24  # runs whose strips are on the page of the dimensions
COSTS = {  # of a run: the heading, and how many digits
    "seed": ("seed", 0),
    "normalised_beta": ("β·d/D", 4),
    "distortion": ("distortion", 1),
    "rate": ("rate", 2),
    "elbo": ("ELBO", 1),
    "active_units": ("active", 0),
}


@dataclass(frozen=True)
class Told:
    """A study and what was made of it for its pages.

    ``tables`` are the dimensions of each run whose codes can be read, ``unread`` the paths of runs with a file that
    cannot; ``still`` and ``unseen`` say why a run cannot be moved and why there are no pictures of its rows.
    """

    study: Study
    title: str
    compared: Compared
    tables: Mapping[str, pd.DataFrame]
    unread: set[str]
    still: Mapping[str, str]
    unseen: Mapping[str, str]

    @cached_property
    def sound(self) -> list[Run]:
        """The runs whose files can all be read."""
        return [run for run in self.study.runs if str(run.path) not in self.unread]

    @cached_property
    def firsts(self) -> list[Run]:
        """A sound run of each setting, with its codes."""
        return [run for run in first_seeds(self.compared.table) if run in self.sound and run.name in self.tables]

    @cached_property
    def labels(self) -> dict[str, str]:
        """Every run as pages call it, by name."""
        table = self.compared.table
        settings = dict(zip(table["run"], table["setting"], strict=True))
        return {run.name: seeded(settings[run.name], run.config.seed) for run in self.study.runs}

    def pair(self, names: Sequence[str]) -> list[str]:
        """The runs that are compared first: the least β and the next β of the same seed."""
        runs = [run for run in self.study.runs if run.name in names]
        first = next((run for run in runs if run.config.stochastic), *runs[:1])
        others = [run for run in runs if run != first]
        return [first.name, *(min(others, key=partial(distance, first)).name for _ in others[:1])]


@dataclass(frozen=True)
class Cell:
    """A cell of a table that can be sorted: its text, what it is sorted by, and what is said beside it."""

    text: str
    value: float | str = ""
    small: str = ""
    said: str = ""
    css: str = ""


def overview(told: Told, together: Mapping[str, Any]) -> str:
    """The first page: three answers, the curve, the best dimensions, where to look first, and the runs."""
    table = told.compared.table
    kind = "rate-distortion" if table["distortion"].notna().any() else "scores"
    panels = attempt(partial(read_collected, told.study), ())[0]
    return _filled(
        "overview",
        told,
        code=_apart("table.js"),
        facts=tables.facts(table, told.study.runs),
        answers=told.compared.answers,
        curve=pictures.figure(kind, told.sound, CURVE),
        links=_links(told, together),
        best=[(told.labels[run.name], run.name, found) for run in told.firsts if (found := _best(told, run))],
        heads=[(head, meaning(head)) for head, _ in COSTS.values()],
        rows=[_costs(row) for row in table.to_dict("records")],
        collected=len(panels),
    )


def comparison(told: Told, together: Mapping[str, Any]) -> str:
    """The page of the live comparison."""
    chosen = first_pair(told, together) if together else []
    runs = [{"name": name, "label": told.labels[name]} for name in together]
    exact = sum(each["decoder"]["kind"] == "network" for each in together.values())
    return _filled(
        "compare",
        told,
        code=script("stage.js") + _apart("load.js", "compare.js"),
        css=style("stage.css"),
        data={"chosen": chosen, "noun": told.study.runs[0].config.noun, "runs": runs},
        runs=runs,
        exact=exact,
        still=_why(told, told.still),
    )


def first_pair(told: Told, together: Mapping[str, Any]) -> list[str]:
    """The runs that are compared first: of those that decode in the page itself, where there are two."""
    exact = [name for name, each in together.items() if each["decoder"]["kind"] == "network"]
    return told.pair(exact if len(exact) > 1 else list(together))


def explorer(told: Told, maps: Mapping[str, Any]) -> str:
    """The page of the map."""
    runs = [{"name": name, "label": told.labels[name]} for name in maps]
    chosen = told.pair(list(maps))[0] if maps else ""
    return _filled(
        "map",
        told,
        code=script("map.js") + _apart("load.js", "explore.js"),
        css=style("map.css"),
        data={"chosen": chosen, "runs": runs},
        runs=runs,
        unseen=_why(told, told.unseen),
    )


def dimensions(told: Told) -> str:
    """The page of what each run's dimensions do."""
    order = [*told.firsts, *(run for run in told.study.runs if run not in told.firsts)]
    pictured = {run.name for run in [run for run in order if run.name in told.tables][:PICTURED]}
    chosen = told.pair(list(told.tables))[0] if told.tables else ""
    parts = [_ranked(told, run, run.name in pictured) for run in told.study.runs if run.name in told.tables]
    return _filled("dimensions", told, code=_apart("choose.js"), data={"chosen": chosen}, parts=parts)


def scores(told: Told) -> str:
    """The page of scores with what it takes to read them: nulls, intervals, seeds."""
    table, metrics = told.compared.table, told.compared.table.attrs["metrics"]
    judged = [each for each in told.compared.choices if each.differences]
    missed = {metric: below_nulls(table, metric) for metric in metrics if better(metric) == "higher"}
    rows = table.to_dict("records")
    return _filled(
        "scores",
        told,
        code=_apart("table.js"),
        drawn_figure=pictures.figure("scores", told.sound) if metrics else (None, "no run has scores"),
        grouped=tables.scores(table, told.study.runs),
        verdicts=tables.verdicts(judged),
        rule=RULE,
        differences=tables.of_choices(judged, difference_rows),
        middles=tables.middles(judged),
        recurring=tables.recurring(told.compared.recurring),
        not_recurring=not_recurring(told.compared.recurring),
        heads=[(heading_of(metric), title_of(metric)) for metric in metrics],
        rows=[
            _scored(row, metrics, {m: bool(below.iloc[k]) for m, below in missed.items()}) for k, row in enumerate(rows)
        ],
    )


def readme(title: str, made_by: str) -> str:
    """What the folder is and how to show it to others, as plain text."""
    return (HERE / "readme.txt").read_text(encoding="utf-8").format(title=title, version=made_by)


def _filled(template: str, told: Told, *, code: str, data: Any = None, css: str = "", **more: Any) -> str:
    """A page with its style, its script and what the script reads."""
    from jinja2 import Environment, PackageLoader
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("latentlab", "reports/site"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["meaning"] = meaning
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    loads = " 'self'" * ("latentlab.take" in code)
    return environment.get_template(f"{template}.html.jinja").render(
        title=told.title,
        names=NAMES,
        here=template,
        policy=f"{POLICY}; script-src{loads} 'sha256-{digest}'",
        style=Markup(_own("site.css") + css),
        script=Markup(code),
        data=None if data is None else _inert(data),
        version=version("latentlab"),
        **more,
    )


def _inert(data: Any) -> Markup:
    """JSON within a page: no name in it can end the element that it stands in."""
    from markupsafe import Markup

    text = json.dumps(data, allow_nan=False)
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def _own(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def _apart(*names: str) -> str:
    """Scripts of this folder whose names do not meet those of a component before them."""
    return "".join(["{\n", *map(_own, names), "}\n"])


def _why(told: Told, reasons: Mapping[str, str]) -> list[tuple[str, str]]:
    """Reasons with the runs that each holds for."""
    found: dict[str, list[str]] = {}
    for name, why in reasons.items():
        found.setdefault(why, []).append(told.labels[name])
    return [
        (f"{'; '.join(runs[:3])}{f' and {len(runs) - 3} more' * (len(runs) > 3)}", why) for why, runs in found.items()
    ]


def _links(told: Told, together: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Where to look first: what went wrong, what β changes, the setting that leads, the scores; three of them."""
    table = told.compared.table
    bad = table[table["flags"].fillna("").str.contains("collapsed|diverged") & table["run"].isin(list(told.tables))]
    found = [(f"{told.labels[row.run]}: {row.flags}", f"dimensions.html#{row.run}") for row in bad.head(1).itertuples()]
    if len(together) > 1:
        one, other = first_pair(told, together)
        found.append(
            (f"{told.labels[one]} next to {told.labels[other]}, moved together", f"compare.html#{one},{other}")
        )
    found += [
        (f"What the dimensions of {told.labels[run.name]} do", f"dimensions.html#{run.name}") for run in _leading(told)
    ]
    found += [("The codes in two dimensions", "map.html")] if told.tables else []
    return [*found, ("Scores with their nulls and intervals", "scores.html")][:3]


def _leading(told: Told) -> list[Run]:
    """The run of the setting that is best, or has the best mean, by the first score that says so; else the first."""
    settings = dict(zip(told.compared.table["path"], told.compared.table["setting"], strict=True))
    leaders = [each.leader for each in told.compared.choices if each.leader and "do not beat" not in each.reason]
    found = [run for leader in leaders for run in told.firsts if settings[str(run.path)] == leader]
    return [*found, *told.firsts][:1]


def _best(told: Told, run: Run) -> list[tuple[str, str, str]]:
    """The dimensions of a run that the user named or that know most about a factor: name, mutual information, strip."""
    order = clearest(told.tables[run.name]).head(BEST)
    strips = attempt(lambda: pictures.strips(run, order["index"].tolist()), [])[0]
    return [
        (f"{row.dim} {row.name or row.top_factor or ''}".strip(), "" if row.mi != row.mi else f"MI {row.mi:.2f}", image)
        for row, image in zip(order.itertuples(index=False, name="Dimension"), strips, strict=False)
    ]


def _costs(row: Mapping[Any, Any]) -> list[Cell]:
    name = Cell(
        str(row["run"]), str(row["run"]), said=tables.text(row["error"], ""), small=tables.text(row["flags"], "")
    )
    return [name, Cell(tables.text(row["setting"]), tables.text(row["setting"])), *(_cost(row, key) for key in COSTS)]


def _cost(row: Mapping[Any, Any], key: str) -> Cell:
    value = row[key]
    if tables.text(value) == "–":
        return Cell("–", css="num")
    return Cell(tables.number(float(value), COSTS[key][1]), float(value), css="num")


def _scored(row: Mapping[Any, Any], metrics: Sequence[str], missed: Mapping[str, bool]) -> list[Cell]:
    """The scores of a run over all rows, each with half its interval and whether it exceeds its nulls."""
    head = [Cell(str(row["run"]), str(row["run"])), Cell(tables.text(row["setting"]), tables.text(row["setting"]))]
    return [*head, *(_score(row, metric, missed.get(metric, False)) for metric in metrics)]


def _score(row: Mapping[Any, Any], metric: str, missed: bool) -> Cell:
    whole = row.get(f"{metric}_whole", float("nan"))
    value = row[metric] if whole != whole else whole
    if value != value:
        return Cell("–", css="num")
    low, high = (row.get(f"{metric}_{end}", float("nan")) for end in ("low", "high"))
    text, half = (tables.number(value, 2), "") if low != low or high != high else with_half_width(value, low, high)
    nulls = [
        f"{name} codes reach {tables.number(row.get(f'{metric}_{key}'), 2)}"
        for name, key in (("permuted", "permuted"), ("rotated", "null"))
    ]
    said = f"not above its nulls: {', '.join(nulls)}" if missed else ""
    return Cell(text, float(value), half, said, "num weak" if missed else "num")


def _ranked(told: Told, run: Run, pictured: bool) -> dict[str, Any]:
    """A run's dimensions as rows of a table, the most important first."""
    table = told.tables[run.name]
    order, by = table["index"].tolist(), "kl" if run.config.stochastic else "share"
    strips, why = (
        attempt(lambda: pictures.strips(run, order), [])
        if pictured
        else ([], f"traversals of at most {PICTURED} runs are shown")
    )
    factors = table.attrs["factors"]
    shades = _style.colours(factors)
    most = max(float(table[by].max()), 1e-12)
    rows = [
        {
            "dim": row.dim,
            "size": tables.number(getattr(row, by), 2 if by == "kl" else 3),
            "bar": f"{max(60 * float(getattr(row, by)) / most, 1):.0f}",
            "off": off,
            "factor": tables.text(row.top_factor, ""),
            "mi": with_half_width(row.mi, row.mi_low, row.mi_high) if row.mi == row.mi else ("", ""),
            "shade": shades.get(row.top_factor, _style.GREY),
            "ink": _style.ink_on(shades.get(row.top_factor, _style.GREY)),
            "name": pictures.called(run, row),
            "note": row.note,
        }
        for row, off in zip(table.itertuples(name="Dimension"), inactive(table), strict=True)
    ]
    active = (
        f"{int(table['active'].sum())} of {len(table)} active" if run.config.stochastic else f"{len(table)} dimensions"
    )
    rows_used = f"factors read from {table.attrs['rows']:,} of {table.attrs['of_rows']:,} rows"
    said = [active, rows_used if factors else "no known factors", pictures.told_range(run) if strips else why]
    return {
        "name": run.name,
        "label": told.labels[run.name],
        "said": " · ".join(filter(None, said)),
        "size": "KL, nats" if run.config.stochastic else "share of variance",
        "factors": bool(factors),
        "rows": rows,
        "strips": strips,
        "original": _original(run) if strips else "",
    }


def _original(run: Run) -> str:
    """The picture of the row that the traversals go through, where it is kept with them."""
    from latentlab.system.png import data_uri, strip

    _, part = pictures.traversed(run)
    return "" if part.originals is None else data_uri(strip(part.pictures(part.originals)[:1], gap=0))
