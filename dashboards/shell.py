"""What every page shares: the study and the chosen run, cached reads, the head of a panel, tables, explanations."""

from __future__ import annotations

import html
import shlex
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any

import streamlit as st

from latentlab.codes import Codes
from latentlab.comparison import better, compare, csv_of, summarise
from latentlab.data import Dataset
from latentlab.decodings import Decodings
from latentlab.dimensions import dimensions, factors_of
from latentlab.errors import InputError, LatentlabError
from latentlab.figures import draw, export
from latentlab.health import environment, health
from latentlab.matching import match
from latentlab.originals import dataset_of
from latentlab.projections import Projection
from latentlab.registry import load
from latentlab.runs import STAGES, Run, Study
from latentlab.selections import named
from latentlab.serving import as_study, served_path

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9")
SHORT = {
    "mig": "MIG",
    "dci": "DCI",
    "sap": "SAP",
    "factor_vae": "FactorVAE",
    "beta_vae": "β-VAE",
    "irs": "IRS",
    "unsupervised": "Gaussian TC",
    "elbo": "ELBO",
}
CHART = {"displaylogo": False, "displayModeBar": "hover", "modeBarButtonsToRemove": ["toImage"]}
DRAWING = Lock()
HERE = Path(__file__).parent
FILES = ("config.json", "history.jsonl", "model.safetensors", "notes.json", *STAGES.values())

ACTIONS = st.components.v2.component(
    "latentlab_actions",
    html="<nav></nav>",
    css=(HERE / "actions.css").read_text(encoding="utf-8"),
    js=(HERE / "actions.js").read_text(encoding="utf-8"),
)


def style() -> None:
    """The few rules of CSS that Streamlit's theme does not cover."""
    st.html(HERE / "style.css")


# What is chosen once and holds on every page


def choose(pages: Sequence[Any]) -> None:
    """The sidebar: the pages, which run, which factor colours; the choices are kept in the page's address."""
    chosen = study()
    with st.sidebar:
        path, name = html.escape(str(chosen.path)), html.escape(chosen.path.name)
        st.html(f'<div class="ll-brand">latentlab<small title="{path}">{name}</small></div>')
        with st.container(gap="xsmall"):
            for page in pages:
                st.page_link(page)
        if not chosen.runs:
            return
        names = [run.name for run in chosen.runs]
        remember("run", names, _first_analysed(chosen))
        st.selectbox("Run, everywhere", names, key="run", format_func=label, on_change=_keep_colour)
        keep("run")
        factors = factor_names(current())
        if factors:
            remember("colour", factors, factors[0])
            st.selectbox("Colour by", factors, key="colour")
            keep("colour")


def _keep_colour() -> None:
    """A factor that the newly chosen run does not have is given up; every other choice stays."""
    if st.session_state.get("colour") not in factor_names(current()):
        st.session_state.pop("colour", None)


def _first_analysed(chosen: Study) -> str:
    """The first VAE that has been encoded, else the first run: what a page can show most of."""
    encoded = [run for run in chosen.runs if run.has("encode")]
    best = [run for run in encoded if run.config.stochastic] or encoded or list(chosen.runs)
    return best[0].name


def remember(key: str, options: Sequence[Any], default: Any) -> None:
    """Give a widget its value before it is drawn: what it had, else what the address says, else the default."""
    if key not in st.session_state:
        asked = st.query_params.get(key)
        st.session_state[key] = next((option for option in options if str(option) == asked), default)
    elif st.session_state[key] not in options:
        st.session_state[key] = default


def keep(key: str) -> None:
    """Write a widget's value into the page's address, so that a copied link restores it."""
    value = str(st.session_state[key])
    if st.query_params.get(key) != value:
        st.query_params[key] = value


def current() -> Run:
    """The run chosen in the sidebar."""
    if not study().runs:
        raise InputError("every run of this study is broken; the page Runs says why")
    return study()[str(st.session_state["run"])]


def label(name: str) -> str:
    """A run as tables call it: its setting and its seed."""
    row = table().set_index("run").loc[name]
    return f"{row['setting']} · seed {row['seed']}"


def colour() -> str | None:
    """The factor chosen in the sidebar; None where the data have none."""
    return st.session_state.get("colour")


def part(draw: Callable[..., None]) -> Callable[..., None]:
    """A part of a page that is redrawn by itself; what cannot be shown is explained in its place."""

    @st.fragment
    @wraps(draw)
    def drawn(*arguments: Any) -> None:
        try:
            draw(*arguments)
        except LatentlabError as error:
            explain("This part cannot be shown", str(error))

    return drawn


def attempt(read: Callable[[], Any], otherwise: Any) -> tuple[Any, str]:
    """What `read` gives, or something else and why."""
    try:
        return read(), ""
    except LatentlabError as error:
        return otherwise, str(error)


# Cached reads: keyed on the path, and on when its files changed


def stamp(path: Path, names: Sequence[str] = FILES) -> tuple[tuple[str, int, int], ...]:
    """When the files of a run changed last, and their sizes: what a cached answer about them depends on."""
    found = [(name, path / name) for name in names]
    return tuple((n, f.stat().st_mtime_ns, f.stat().st_size) for n, f in found if f.is_file())


def study() -> Study:
    """The study that this server shows; its list of runs is at most two seconds old."""
    return _study(served_path())


@st.cache_resource(ttl=2, max_entries=2, show_spinner=False)
def _study(path: str) -> Study:
    return as_study(Path(path))


def table() -> Any:
    """`compare` of the whole study."""
    chosen = study()
    return _table(tuple((run.name, stamp(run.path)) for run in chosen.runs), tuple(chosen.broken), chosen)


@st.cache_data(max_entries=2, show_spinner="Reading the runs …")
def _table(stamps: Any, broken: Any, _study: Study) -> Any:
    return compare(_study)


def settings() -> Any:
    """`summarise` of the whole study: one row a setting."""
    return summarise(table())


def codes(run: Run) -> Codes:
    """The run's codes."""
    return _codes(str(run.path), stamp(run.path, [STAGES["encode"]]))


@st.cache_resource(max_entries=4, show_spinner="Reading the codes …")
def _codes(path: str, stamps: Any) -> Codes:
    return Run(Path(path)).codes()


def factor_names(run: Run) -> tuple[str, ...]:
    """The factors that vary in a run's codes; none where it has not been encoded."""
    return _factor_names(str(run.path), stamp(run.path, [STAGES["encode"]])) if run.has("encode") else ()


@st.cache_data(max_entries=64, show_spinner=False)
def _factor_names(path: str, stamps: Any) -> tuple[str, ...]:
    return factors_of(_codes(path, stamps))[1]


def ranked(run: Run) -> Any:
    """`dimensions` of the run, the user's names included."""
    return _ranked(str(run.path), stamp(run.path, [STAGES["encode"], "notes.json"]))


@st.cache_data(max_entries=16, show_spinner="Ranking the dimensions …")
def _ranked(path: str, stamps: Any) -> Any:
    run = Run(Path(path))
    return dimensions(_codes(path, stamp(run.path, [STAGES["encode"]])), notes=run.notes())


def decodings(run: Run) -> dict[str, Decodings]:
    """The run's decoded images."""
    return _decodings(str(run.path), stamp(run.path, [STAGES["traverse"]]))


@st.cache_resource(max_entries=8, show_spinner=False)
def _decodings(path: str, stamps: Any) -> dict[str, Decodings]:
    return Run(Path(path)).decodings()


def traversals(run: Run, anchor: int, over: Any) -> Decodings:
    """Traversals around the row of that id, decoded now by the run's own model."""
    position = int(named(codes(run), str(anchor))[0])
    return _traversals(
        str(run.path), stamp(run.path, ["config.json", "model.safetensors", STAGES["encode"]]), position, over
    )


@st.cache_resource(max_entries=8, show_spinner="Decoding …")
def _traversals(path: str, stamps: Any, position: int, over: Any) -> Decodings:
    from latentlab.decoding import traverse

    return traverse(_model(path, stamps), _codes(path, stamp(Path(path), [STAGES["encode"]])), position, over=over)


@st.cache_resource(max_entries=2, show_spinner="Loading the model …")
def _model(path: str, stamps: Any) -> Any:
    from latentlab.models import load_model

    return load_model(Run(Path(path)))


def projections(run: Run) -> dict[str, Projection]:
    """The run's projections, by method; none where they have not been made."""
    stamps = stamp(run.path, [STAGES["project"]])
    return _projections(str(run.path), stamps) if stamps else {}


@st.cache_resource(max_entries=8, show_spinner=False)
def _projections(path: str, stamps: Any) -> dict[str, Projection]:
    return Run(Path(path)).projections()


def dataset(run: Run) -> Dataset:
    """The images that the run's codes were made from."""
    return _dataset(str(run.path), stamp(run.path, ["config.json", STAGES["encode"]]))


@st.cache_resource(max_entries=2, show_spinner="Opening the images …")
def _dataset(path: str, stamps: Any) -> Dataset:
    return dataset_of(Run(Path(path)))


def figure(kind: str, runs: Sequence[Run], **options: Any) -> Any:
    """A figure of `latentlab.figures`, for the screen."""
    stamps = tuple((run.name, stamp(run.path)) for run in runs)
    return _figure(kind, stamps, tuple(sorted(options.items())), list(runs))


# As a resource: a copy from st.cache_data is another text than the original, and a chart whose text changes loses its
# selection.
@st.cache_resource(max_entries=64, show_spinner="Drawing …")
def _figure(kind: str, stamps: Any, options: Any, _runs: list[Run]) -> Any:
    drawn = draw(kind, _runs, **dict(options))
    told = str(drawn.layout.title.text).rpartition("'>")[2].removesuffix("</span>").replace("<br>", " ")
    drawn.update_layout(
        title=None,
        margin={"t": 16},
        modebar={"bgcolor": "rgba(0,0,0,0)"},
        legend={"y": 0.93},
        meta={**drawn.layout.meta, "subtitle": told},
    )
    return drawn


def matched(first: Run, second: Run) -> Any:
    """The dimensions of two runs, paired."""
    stamps = tuple(stamp(run.path, [STAGES["encode"]]) for run in (first, second))
    return _matched(str(first.path), str(second.path), stamps)


@st.cache_data(max_entries=32, show_spinner="Matching dimensions …")
def _matched(first: str, second: str, stamps: Any) -> Any:
    return match(_codes(first, stamps[0]), _codes(second, stamps[1]))


def healthy(run: Run) -> Any:
    """`health` of the run."""
    return _healthy(str(run.path), stamp(run.path))


@st.cache_data(max_entries=32, show_spinner="Hashing the files …")
def _healthy(path: str, stamps: Any) -> Any:
    return health(Run(Path(path)))


def environment_of(run: Run) -> dict[str, Any]:
    """What the run was trained with."""
    return dict(attempt(lambda: environment(run), {})[0])


def runs_for(kind: str) -> list[Run]:
    """The runs that a figure of that kind shows: all, or the one chosen in the sidebar."""
    return list(study().runs) if load("figures", kind).TAKES == "runs" else [current()]


def exported(kind: str, runs: Sequence[Run], suffix: str, preset: str) -> bytes:
    """A figure as the bytes of a file."""
    stamps = tuple((run.name, stamp(run.path)) for run in runs)
    return _exported(kind, stamps, suffix, preset, list(runs))


@st.cache_data(max_entries=32, show_spinner="Drawing …")
def _exported(kind: str, stamps: Any, suffix: str, preset: str, _runs: list[Run]) -> bytes:
    # Matplotlib keeps its settings for the whole process, so two visitors' figures are drawn one after the other.
    with DRAWING, TemporaryDirectory() as folder:
        return export(kind, _runs, Path(folder) / f"figure.{suffix}", preset=preset).read_bytes()


# What a panel is made of


def figure_command(kind: str, runs: Sequence[Run], suffix: str = "pdf", **options: Any) -> str:
    """The command that draws the same figure into a file."""
    places = [study().path] if list(runs) == list(study().runs) else [run.path for run in runs]
    given = [part for key, value in options.items() if value is not None for part in ("--set", f"{key}={value}")]
    return command("figure", kind, *places, *given, "-o", f"{kind}.{suffix}")


def command(*parts: str | Path) -> str:
    """A command line that can be pasted into a shell."""
    return shlex.join(["latentlab", *(str(part) for part in parts)])


def head(
    title: str,
    facts: Sequence[str],
    key: str,
    *,
    make: str = "",
    data: Any = None,
    small: bool = False,
    on_pick: Callable[[str], None] | None = None,
) -> None:
    """The head of a panel: title and facts at the left; link, command and data at the right.

    `make` is the command that makes the same on the command line, `data` the table behind it. `on_pick` is called with
    the key of a row that was clicked in the table called `key`.
    """
    left, right = st.columns([0.7, 0.3], vertical_alignment="top")
    tag = "h2" if small else "h1"
    said = html.escape(" · ".join(fact for fact in facts if fact))
    left.html(f'<div class="ll-head"><{tag}>{html.escape(title)}</{tag}><p>{said}</p></div>')
    with right.container(horizontal=True, horizontal_alignment="right", vertical_alignment="top", gap="small"):
        _actions(key, make, on_pick)
        if data is not None:
            st.download_button(
                "Download data",
                data=lambda: csv_of(data()),
                file_name=f"{key}.csv",
                mime="text/csv",
                type="tertiary",
                key=f"download-{key}",
                on_click="ignore",
            )


def _actions(key: str, make: str, on_pick: Callable[[str], None] | None) -> None:
    name = f"actions-{key}"

    def picked() -> None:
        if on_pick is not None and (chosen := st.session_state[name].picked) is not None:
            on_pick(chosen)

    ACTIONS(key=name, data={"command": make, "table": key if on_pick else ""}, width="content", on_picked_change=picked)


def show(table: str) -> None:
    """A table made by `rows_html`."""
    st.html(table)


def note(text: str) -> None:
    """A quiet sentence below something."""
    st.html(f'<p class="ll-note">{html.escape(text)}</p>')


def explain(title: str, text: str, fix: str = "") -> None:
    """Say what is missing here, why, and the command that makes it."""
    st.html(f'<div class="ll-empty"><b>{html.escape(title)}</b>{html.escape(text)}</div>')
    if fix:
        st.code(fix, language="bash")


def chart(drawn: Any, key: str, **more: Any) -> Any:
    """A Plotly figure, with its words for those who do not see it."""
    return st.plotly_chart(drawn, key=key, config=CHART, alt=drawn.layout.meta["alt"], **more)


def metric_name(name: str) -> str:
    """A metric as a narrow column is headed; an arrow down where less is better."""
    return SHORT.get(name, name) + " ↓" * (better(name) == "lower")


def by_use(metrics: Sequence[str]) -> list[str]:
    """Metrics with those most often reported first."""
    return sorted(metrics, key=lambda name: (list(SHORT).index(name) if name in SHORT else len(SHORT), name))


def panel(kind: str, runs: Sequence[Run], *, on_run: Callable[[str], None] | None = None, **options: Any) -> None:
    """A figure of the package with its own head; a point that stands for a run opens it."""
    drawn = figure(kind, runs, **options)
    make = figure_command(kind, runs, **options)
    head(str(drawn.layout.meta["title"]), [str(drawn.layout.meta["subtitle"])], kind, make=make, small=True)
    if on_run is None:
        chart(drawn, f"chart-{kind}")
        return

    def clicked() -> None:
        points = st.session_state[f"chart-{kind}"].selection.points
        if points and points[0].get("customdata"):
            on_run(str(points[0]["customdata"][0]))

    chart(drawn, f"chart-{kind}", on_select=clicked, selection_mode="points")
    leave_for_run()


def open_run(name: str) -> None:
    """Choose a run for every page; `leave_for_run` then goes to what its dimensions do."""
    if name in {run.name for run in study().runs}:
        st.session_state["run"] = name
        st.session_state["open_run"] = True


def leave_for_run() -> None:
    """Go to the dimensions of a run that was just picked (a callback itself may not change the page)."""
    if st.session_state.pop("open_run", False):
        st.switch_page("views/dimensions.py")


def rows_html(
    columns: Sequence[tuple[str, str]],
    rows: Sequence[tuple[Sequence[str], str, str]],
    name: str = "",
) -> str:
    """A table of ready HTML cells: `columns` are (heading, class), `rows` are (cells, key, class of the row).

    A row with a key can be picked by a click or by Enter. Cells must be escaped already.
    """
    heads = "".join(f'<th class="{kind}">{html.escape(text)}</th>' for text, kind in columns)
    body = "".join(_row(columns, cells, key, kind) for cells, key, kind in rows)
    return (
        f'<div class="ll-scroll"><table class="ll" data-table="{html.escape(name)}"><thead><tr>{heads}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _row(columns: Sequence[tuple[str, str]], cells: Sequence[str], key: str, kind: str) -> str:
    picks = f' data-key="{html.escape(key)}" tabindex="0"' if key else ""
    inside = "".join(f'<td class="{css}">{cell}</td>' for cell, (_, css) in zip(cells, columns, strict=True))
    return f'<tr class="{kind}"{picks}>{inside}</tr>'


def text(value: object) -> str:
    """A value as escaped text; a dash where there is none."""
    return "–" if missing(value) or value == "" else html.escape(str(value))


def number(value: Any, digits: int = 2) -> str:
    """A number with that many decimals and a true minus; a dash where there is none."""
    return "–" if missing(value) else f"{float(value):,.{digits}f}".replace("-", "−")


def half_width(low: Any, high: Any) -> str:
    """Half of an interval as it stands behind a value; as many decimals as it takes to be no bare zero."""
    half = (float(high) - float(low)) / 2
    return f"<small>± {half:.2f}</small>" if half >= 0.005 or half == 0 else f"<small>± {half:.1g}</small>"


def pill(name: str, names: Sequence[str]) -> str:
    """A factor's name on its colour, which is the same on every page."""
    shade = COLOURS[list(names).index(name) % len(COLOURS)] if name in names else "#8A8A86"
    ink = "#1c1c1a" if shade in ("#E69F00", "#56B4E9") else "#fff"
    return f'<span class="pill" style="background:{shade};color:{ink}">{html.escape(name)}</span>'


def missing(value: Any) -> bool:
    """Whether a cell of a table is empty: None, NaN or pandas' NA."""
    return value is None or str(value) in ("nan", "<NA>", "NaT")


def data_name(run: Run) -> str:
    """The data set's name as a subtitle says it."""
    return str(run.config.source.get("name") or Path(run.config.data).name)
