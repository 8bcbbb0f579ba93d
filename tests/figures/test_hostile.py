"""Figures of names, scripts and images as people have them: every kind is drawn, without a word from a library."""

import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import toy
from matplotlib.figure import Figure
from toy import ToyModel, write_run
from toy_support import write_survey

from latentlab.errors import Remark
from latentlab.figures import _fonts, _images, _labels, _style, decodes, draw, rendered
from latentlab.runs.study import Study
from latentlab.system.files import read_json, write_json
from latentlab.system.registry import load, names

NAMES = {
    "long": ("n" * 70, "m" * 200, "two words " * 12, "W" * 60),
    "markup": ("<i>a</i>", "<b>x</b><br>y", "&lt;&amp;", "%{x}<extra>"),
    "odd": ("", "a$b\\c%_{<i>&\nx\t\x1b[31m", "שלום עולם", "$\\frac{"),
}
KINDS = sorted(
    set(names("figures")) - {"filling", "identity", "spectrum"}
)  # they need images and likelihoods, see below


@pytest.fixture(scope="module", params=NAMES)
def study(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Four toy runs whose factors, values and dimensions have such names."""
    path = tmp_path_factory.mktemp("named") / "study"
    with pytest.MonkeyPatch.context() as patch:
        shape = replace(toy.SPECS[0], values=("sq" * 40, "", "a<b>$"))
        named = zip((shape, *toy.SPECS[1:]), NAMES[request.param], strict=True)
        patch.setattr(toy, "SPECS", tuple(replace(spec, name=name) for spec, name in named))
        for beta in (None, 4.0):
            for seed in (0, 1):
                write_survey(write_run(path / f"r-{beta}-{seed}", beta, seed))
    return Study(path)


def model_of(kind: str) -> dict[str, object]:
    """The option ``model`` of a kind that decodes."""
    if not decodes(kind):
        return {}
    return {"model": (lambda run: ToyModel()) if load("figures", kind).TAKES == "runs" else ToyModel()}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_drawn_with_any_names(kind: str, study: Study) -> None:
    given = study if load("figures", kind).TAKES == "runs" else study.runs[-1]
    model = model_of(kind)
    for suffix in ("svg", "html", "csv", "txt"):
        content = rendered(kind, given, suffix, "icml", **model)
        assert content
        if suffix == "svg":
            ElementTree.fromstring(content)


@pytest.fixture(scope="module")
def marked(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Two toy runs in which every name and value of a factor is markup."""
    path = tmp_path_factory.mktemp("marked") / "study"
    first, *others = [replace(spec, name=f"{spec.name}<u>%{{x}}&gt;") for spec in toy.SPECS]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(toy, "SPECS", (replace(first, values=("<s>", "&amp;", "c")), *others))
        for seed in (0, 1):
            write_survey(write_run(path / f"r{seed}", 4.0, seed))
    return Study(path)


@pytest.mark.parametrize("kind", KINDS)
def test_no_name_is_markup_on_the_screen(kind: str, marked: Study) -> None:
    """Plotly gets every name with its letters written out; what the figure says of itself stays plain text."""
    model = model_of(kind)
    fig = draw(kind, marked if load("figures", kind).TAKES == "runs" else marked.runs[-1], **model)
    meta = fig.layout.meta
    texts = [text for text in leaves(fig.to_plotly_json()) if text not in meta.values()]
    assert not [text for text in texts if re.search(r"<u>|<s>|%\{x\}&|x\}&gt;", text)]
    assert not [text for text in meta.values() if "&lt;" in text or "&#123;" in text]


def leaves(value: object) -> list[str]:
    """Every text in nested values."""
    if isinstance(value, str):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple | np.ndarray) else ()
    return [text for part in parts for text in leaves(part)]


def test_scores_that_could_not_be_computed_are_drawn(tmp_path: Path) -> None:
    for seed in (0, 1):
        run = write_run(tmp_path / f"r{seed}", 4.0, seed)
        found = read_json(run.scores_path)
        for entry in found["scores"].values():
            entry["value"] = None if seed else entry["value"]
        write_json(run.scores_path, found)
    for suffix in ("svg", "html", "csv", "txt"):
        assert rendered("scores", Study(tmp_path), suffix)


def test_a_long_label_leaves_its_axes_room_and_short_ones_stay() -> None:
    from latentlab.figures import _style

    with _style.rendering(8):
        fig = _style.canvas("icml", 1.5)
        axes = fig.add_subplot()
        axes.set_yticks([0, 1], ["m" * 90, "short"])
        _labels.fitted(fig)
        assert axes.get_position().width > _labels.LEAST
        cut, kept = (label.get_text() for label in axes.get_yticklabels())
    assert re.fullmatch("m+…", cut)
    assert kept == "short"


def test_letters_come_from_what_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    has = {_fonts.SANS: "aß", "Rare Sans": "한", "Broad Sans": "形猫"}
    monkeypatch.setattr(_fonts, "_letters", lambda family: frozenset(has[family]))
    monkeypatch.setattr(_fonts, "_installed", lambda: ["Broad Sans", "Rare Sans"])
    assert _fonts.families("aß", _fonts.SANS) == [_fonts.SANS]
    assert _fonts.families("形", _fonts.SANS) == [_fonts.SANS, "Broad Sans"]
    assert _fonts.families("한", _fonts.SANS) == [_fonts.SANS, "Rare Sans"]
    assert _fonts.families("한형 形", _fonts.SANS) == [_fonts.SANS, "Broad Sans", "Rare Sans"]
    assert _fonts.lacking("한형 形") == {"형"}


def test_letters_that_no_font_has_are_told_on_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_fonts, "_installed", list)
    from latentlab.figures import _style

    for suffix, drawn in (("png", "? ?"), ("svg", "形 猫")):
        with _style.rendering(8):
            fig = Figure()
            axes = fig.add_subplot()
            axes.set_xlabel("形 猫")
        with pytest.warns(Remark) as told:
            assert _style.saved(fig, suffix, "Title", "形", _style.preset("icml"))
        assert [str(each.message) for each in told] == [_fonts.told({"形", "猫"})]
        assert axes.get_xlabel() == drawn, "no box on paper; where text stays text another machine may have the font"
    assert len(_fonts.told(map(chr, range(0x4E00, 0x5E00)))) <= 200


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5])
def test_images_of_any_number_of_channels_are_drawn_and_what_is_left_out_is_said(channels: int, tmp_path: Path) -> None:
    class Model(ToyModel):
        def decode(self, codes: np.ndarray) -> np.ndarray:
            return np.repeat(super().decode(codes), channels, axis=-3)

    run = write_run(tmp_path / "run", 4.0, 0, image_shape=(channels, toy.SIZE, toy.SIZE))
    words = rendered("samples", run, "txt", model=Model()).decode()
    assert rendered("samples", run, "svg", model=Model())
    assert ("channel" in words) == (channels not in (1, 3))
    assert (f"1 to 3 of {channels}" in words) == (channels > 3)


def test_two_channels_are_red_and_green() -> None:
    image = np.stack([np.full((2, 2), 10), np.full((2, 2), 20)]).astype(np.uint8)
    assert (_images.rgba(image) == (10, 20, 0, 255)).all()


def test_one_run_of_one_dimension_without_factors_is_drawn(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", 4.0, 0, analysed=False)
    codes = toy.toy_codes(4.0, 0)
    alone = replace(codes, mean=codes.mean[:, :1], variance=codes.variance[:, :1], factors=None, specs=(), grid=None)
    from latentlab.codes.h5ad import save_codes
    from latentlab.runs.weights import model_hash

    save_codes(run.codes_path, replace(alone, provenance={"inputs": {"model": model_hash(run)}}))
    for kind in ("kl", "correlation", "rate_distortion", "aggregate_posterior"):
        assert rendered(kind, run, "svg")


@pytest.mark.parametrize("kind", ["aggregate_posterior", "aligned_projections"])
def test_titles_of_panels_stay_on_the_page_and_apart(kind, toy_study):
    module = load("figures", kind)
    data = module.prepare(list(toy_study) if module.TAKES == "runs" else toy_study["beta-4-seed-0"])
    data = replace(data, titles=tuple(f"{title} from 0.258 to 0.742" for title in data.titles))
    with _style.rendering(8):
        fig = module.static(data, "neurips")
        _labels.fitted(fig)
        fig.draw_without_rendering()
        shown = [
            text.get_window_extent().transformed(fig.transFigure.inverted())
            for axes in fig.axes
            for text in (axes.title, axes._left_title)
            if axes.get_visible() and text.get_text()
        ]
    assert shown
    assert all(place.y1 <= 1.001 and place.x1 <= 1.02 for place in shown)
    assert not any(one.overlaps(other) for k, one in enumerate(shown) for other in shown[k + 1 :])
