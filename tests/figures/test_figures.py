"""What holds for every kind of figure, whichever data it is drawn from."""

import functools
import re
import subprocess
import sys
import zlib
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from toy import ToyModel, analyse, toy_codes, write_run

import latentlab.figures as figures
from latentlab.errors import InputError
from latentlab.figures import _style, decodes, export, page
from latentlab.figures import draw as _draw
from latentlab.runs.study import Study
from latentlab.system.files import write_json
from latentlab.system.registry import load, names

NEEDS_IMAGES = {"filling", "spectrum"}  # the toy study has none; test_generated.py and test_spectrum.py have
NEEDS_MORE = {"support", "widths", "neighbours", "identity"}  # than an analysis: tests/figures/test_support_figures.py
KINDS = sorted(set(names("figures")) - NEEDS_IMAGES - NEEDS_MORE)
NEEDS_TWO = {"compare"}
NEEDS_FACTORS = {"factor_matrix", "scores", "responses", "attribute", "few_labels", "leakage", "interventions"} & set(
    KINDS
)
WIDTHS = {"icml": 3.25 * 25.4, "neurips": 5.5 * 25.4, "nature-single": 89.0, "nature-double": 183.0}


def given(kind, study, name="beta-4-seed-0"):
    return study if load("figures", kind).TAKES == "runs" else study[name]


def draw(kind, runs, **options):
    return _draw(kind, runs, **with_model(kind), **options)


def with_model(kind):
    if kind not in KINDS or not decodes(kind):
        return {}
    return {"model": (lambda run: ToyModel()) if load("figures", kind).TAKES == "runs" else ToyModel()}


@pytest.fixture(scope="module")
def exported(toy_study, tmp_path_factory):
    """The bytes of a kind in a format, drawn once for all tests of this file."""
    folder = tmp_path_factory.mktemp("exported")

    @functools.cache
    def content(kind, ext):
        if not (folder / f"{kind}.{ext}").exists():
            export(kind, given(kind, toy_study), folder / f"{kind}.{ext}", **with_model(kind))
        return (folder / f"{kind}.{ext}").read_bytes()

    return content


def page_width(pdf: bytes) -> float:
    """Millimetres, from the page's MediaBox in points."""
    box = re.search(rb"/MediaBox \[\s*([\d.\s]+)\]", pdf)
    left, _, right, _ = map(float, box.group(1).split())
    return (right - left) / 72 * 25.4


def shown_text(pdf: bytes) -> bytes:
    """What the text operators of a PDF's pages show."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.S)
    pages = []
    for stream in streams:
        try:
            pages.append(zlib.decompressobj().decompress(stream))  # a checksum may end like a line
        except zlib.error:
            continue
    return b"".join(re.findall(rb"BT\b.*?\bET", b"\n".join(pages), re.S))


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_declares_itself_and_tells_what_it_shows(kind, toy_study):
    module = load("figures", kind)
    figure = draw(kind, given(kind, toy_study))
    assert module.TAKES in ("run", "runs")
    assert len(figure.layout.meta["alt"]) > 40
    assert figure.layout.title.text.startswith("<b>")
    assert figure.layout.paper_bgcolor == "rgba(0,0,0,0)"


@pytest.mark.parametrize("kind", KINDS)
def test_pdf_has_live_text_in_type_42_fonts(kind, exported):
    pdf = exported(kind, "pdf")
    assert b"/FontFile2" in pdf
    assert b"/Type3" not in pdf
    assert shown_text(pdf)
    assert len(pdf) < 500_000
    assert page_width(pdf) == pytest.approx(WIDTHS["neurips"], abs=0.1)


@pytest.mark.parametrize("preset", WIDTHS)
def test_pdf_is_as_wide_as_the_preset_says(preset, toy_study, tmp_path):
    pdf = export("kl", toy_study["beta-4-seed-0"], tmp_path / "x.pdf", preset=preset).read_bytes()
    assert page_width(pdf) == pytest.approx(WIDTHS[preset], abs=0.1)


@pytest.mark.parametrize("suffix", ["pdf", "svg", "png", "html"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_same_data_give_the_same_bytes(kind, suffix, exported, toy_study, tmp_path):
    again = export(kind, given(kind, toy_study), tmp_path / f"again.{suffix}", **with_model(kind)).read_bytes()
    assert again == exported(kind, suffix)
    assert not list(tmp_path.glob(".tmp-*"))


@pytest.mark.parametrize("kind", KINDS)
def test_svg_keeps_its_text_as_text(kind, exported):
    svg = exported(kind, "svg").decode()
    assert "<text" in svg
    assert "STIXGeneral, 'STIX Two Text', 'Times New Roman', Times, serif" in svg


@pytest.mark.parametrize("preset", WIDTHS)
def test_fonts_are_those_of_the_journal(preset, toy_study, tmp_path):
    pdf = export("kl", toy_study["beta-4-seed-0"], tmp_path / "x.pdf", preset=preset).read_bytes()
    embedded = set(re.findall(rb"/FontName /[A-Z]{6}\+([\w-]+)", pdf))
    journal = {b"Arimo"} if preset.startswith("nature") else {b"STIXGeneral"}
    assert {name.split(b"-")[0] for name in embedded} == journal
    svg = export("kl", toy_study["beta-4-seed-0"], tmp_path / "x.svg", preset=preset).read_text()
    assert ("Arimo, Arial, Helvetica, sans-serif" in svg) == preset.startswith("nature")


@pytest.mark.parametrize("kind", KINDS)
def test_no_page_is_left_empty_and_no_title_is_on_it(kind, exported, toy_study):
    """What is drawn spans over 80 % of the page; the title is in the caption."""
    ink = (np.asarray(Image.open(BytesIO(exported(kind, "png"))).convert("RGB")) < 250).any(axis=-1)
    rows, columns = (np.flatnonzero(ink.any(axis=axis)) for axis in (1, 0))
    spanned = (np.ptp(rows) + 1) * (np.ptp(columns) + 1) / ink.size
    assert spanned > 0.8
    title = load("figures", kind).TITLE
    svg = exported(kind, "svg").decode()
    assert f">{title}</text>" not in svg
    caption = exported(kind, "caption.txt").decode()
    assert caption.startswith((f"{title}.", f"{title}:")), "the caption begins with the title"


@pytest.mark.parametrize("kind", sorted(set(KINDS) - NEEDS_TWO))
def test_an_autoencoder_is_drawn_too(kind, toy_study, tmp_path):
    ae = toy_study["ae-seed-0"]
    assert export(kind, ae, tmp_path / "x.png", **with_model(kind)).stat().st_size > 5_000
    assert len(draw(kind, ae).data) > 0


@pytest.fixture(scope="module")
def without_factors(tmp_path_factory):
    """A study of one run on data of which nothing is known."""
    folder = tmp_path_factory.mktemp("alone")
    run, codes = write_run(folder / "run", 4.0, 0, analysed=False), toy_codes(4.0, 0)
    analyse(run, type(codes)(codes.mean, codes.variance, distortion=codes.distortion), 4.0, 0)
    return Study(folder)


@pytest.mark.parametrize("kind", sorted(set(KINDS) - NEEDS_FACTORS - NEEDS_TWO))
def test_a_study_of_one_run_without_factors_is_drawn(kind, without_factors, tmp_path):
    assert export(kind, without_factors, tmp_path / "x.png", **with_model(kind)).stat().st_size > 5_000


@pytest.mark.parametrize("kind", sorted(NEEDS_FACTORS))
def test_what_needs_factors_says_so(kind, without_factors, tmp_path):
    with pytest.raises(
        InputError, match=r"no factors|no scores|without factors|latentlab probe|latentlab (leakage|intervene)"
    ) as error:
        export(kind, without_factors, tmp_path / "x.png", **with_model(kind))
    assert len(str(error.value)) < 200
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_not_analysed_is_named_with_the_remedy(kind, tmp_path):
    run = write_run(tmp_path / "bare", 1.0, 0, analysed=False)
    with pytest.raises(InputError, match=r"`latentlab [a-z]+|--only"):
        draw(kind, run)


def test_html_is_one_page_that_needs_nothing_else(toy_study):
    text = page(figures.kl(toy_study["beta-4-seed-0"]))
    assert not re.findall(r"<(?:script|link|img)[^>]+(?:src|href)=\"?https?:", text)
    assert "Plotly" in text
    assert 'aria-label="Bars' in text


@pytest.mark.parametrize(
    ("kind", "file", "options", "match"),
    [
        ("traversal", "x.pdf", {}, "did you mean 'traversals'"),
        ("kl", "x.jpg", {}, r"expected \.pdf, \.svg, \.png, \.html, \.csv"),
        ("kl", "x", {}, "ends in nothing"),
        ("kl", "x.pdf", {"preset": "neurip"}, "did you mean 'neurips'"),
        ("kl", "x.pdf", {"tpo": 3}, "no option 'tpo'; it has: top"),
        ("traversals", "x.pdf", {"over": "sideways"}, "prior, aggregate|aggregate, prior"),
        ("projection", "x.pdf", {"method": "umap"}, "it has: pca"),
        ("projection", "x.pdf", {"by": "hue"}, "shape, x, y, angle"),
        ("correlation", "x.pdf", {"method": "kendall"}, "known: spearman, pearson"),
    ],
)
def test_wrong_input_is_one_line_and_leaves_nothing(kind, file, options, match, toy_study, tmp_path):
    with pytest.raises(InputError, match=match) as error:
        export(kind, toy_study["beta-4-seed-0"], tmp_path / file, **options)
    assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_several_runs_where_one_is_shown_are_refused(toy_study):
    with pytest.raises(InputError, match="shows one run but 8 came"):
        draw("traversals", toy_study)


def test_a_hundred_thousand_points_fit_in_half_a_megabyte():
    from latentlab.figures import _style
    from latentlab.system.registry import load

    projection = load("figures", "projection")
    rng = np.random.default_rng(0)
    xy = rng.normal(size=(100_000, 2)).astype("f4")
    for categories in (("a", "b", "c"), ()):
        values = rng.integers(0, 3, len(xy)).astype(float) if categories else xy[:, 0].astype(float)
        data = projection.ProjectionData(xy, np.arange(len(xy)), values, "f", categories, False, ("x", "y"), "")
        with _style.rendering(8):
            pdf = _style.saved(projection.static(data, "neurips"), "pdf", "t", "a", _style.preset("neurips"))
        assert len(pdf) <= 500_000


@pytest.mark.parametrize("suffix", ["pdf", "svg", "png"])
def test_a_file_is_drawn_once(suffix, toy_study, tmp_path, monkeypatch):
    from matplotlib.figure import Figure

    drawn, draw_once = [], Figure.draw
    monkeypatch.setattr(Figure, "draw", lambda self, renderer: drawn.append(self) or draw_once(self, renderer))
    export("kl", toy_study["beta-4-seed-0"], tmp_path / f"x.{suffix}")
    assert len(drawn) == 1


def test_rendering_leaves_matplotlib_as_it_was(toy_study, tmp_path):
    import matplotlib

    before = dict(matplotlib.rcParams)
    export("kl", toy_study["beta-4-seed-0"], tmp_path / "x.pdf")
    assert dict(matplotlib.rcParams) == before
    assert _style.PRESETS["nature-single"].width * 25.4 == pytest.approx(89)


def test_importing_figures_loads_no_drawing_library_and_kinds_are_callable():
    code = (
        "import sys, latentlab.figures as f; import latentlab.system.registry as r; r.load('figures', 'kl');"
        "assert callable(f.kl) and callable(f.traversals);"
        "print([m for m in ('plotly', 'matplotlib', 'torch', 'streamlit', 'sklearn') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize("preset", list(_style.PRESETS))
def test_a_text_is_cut_and_broken_to_the_inches_that_it_has(preset: str) -> None:
    chosen, told = _style.preset(preset), "dots: runs · rings: means over seeds · lines: autoencoders (no rate) · " * 3
    assert 0.8 < _style.wide(_style.fitting(told, chosen, 2.0), chosen) / 2 <= 1
    assert all(_style.wide(line, chosen) <= 2 for line in _style.lines(told, chosen, 2.0).splitlines())


def test_a_caption_lies_beside_the_figure_as_text_and_for_latex(toy_study, tmp_path):
    export("kl", toy_study["beta-4-seed-0"], tmp_path / "kl.pdf")
    assert {path.name for path in tmp_path.iterdir()} == {"kl.pdf", "kl.caption.txt", "kl.caption.tex"}
    text, tex = ((tmp_path / f"kl.caption.{ending}").read_text() for ending in ("txt", "tex"))
    assert text.startswith("KL per latent dimension: β = 4, seed 0; ")
    assert tex.startswith(r"\caption{KL per latent dimension: $\beta$ = 4, seed 0; ")
    export("kl", toy_study["beta-4-seed-0"], tmp_path / "kl.csv")
    assert len(list(tmp_path.iterdir())) == 4, "only what a paper shows has a caption"


@pytest.mark.parametrize("name", ["$\\frac{", "a $b_c$ d", "costs $5, or $6"])
def test_a_dollar_sign_is_a_dollar_sign(name, tmp_path):
    run = write_run(tmp_path / "run", 4.0, 0)
    write_json(run.path / "notes.json", {"dimensions": {"0": {"name": name}}})
    export("traversals", run, tmp_path / "x.svg")
    assert name in (tmp_path / "x.svg").read_text()


def test_a_legend_stays_on_the_page_and_leaves_the_plots_their_height() -> None:
    from matplotlib.lines import Line2D

    keys = [Line2D([], [], label=f"a class with a long name, number {k}") for k in range(10)]
    for most, grows in ((1, False), (6, True)):
        fig = _style.canvas("icml", 2.0)
        _style.legend_below(fig, most, handles=keys)
        box = fig.legends[0].get_window_extent()
        assert len(fig.legends) == 1
        assert box.width <= fig.bbox.width
        assert bool(fig.get_figheight() > 2.2) is grows
