"""Widgets: traits there and back without a browser, and mounted in a bare page as anywidget mounts them."""

from __future__ import annotations

import sys
from base64 import b64decode
from typing import Any

import numpy as np
import pytest
from conftest import ROOT

from latentlab.errors import InputError, LatentlabError
from latentlab.runs.run import Run
from latentlab.runs.study import Study

pytest.importorskip("anywidget")

# What anywidget gives `render`: traits with events, and messages to the kernel.
MODEL = """() => {
window.mounted = {};
window.mount = async (name, esm, css, traits) => {
  const heard = {}, model = {
    saved: [], sent: [], get: (key) => traits[key],
    set: (key, value) => { traits[key] = value; model.tell(`change:${key}`); },
    tell: (event, ...more) => (heard[event] || []).forEach((each) => each(...more)),
    save_changes: () => model.saved.push({ ...traits }),
    send: (content) => model.sent.push(content),
    on: (event, each) => { (heard[event] ||= []).push(each); },
    off: (event, each) => { heard[event] = (heard[event] || []).filter((other) => other !== each); },
    heard: () => Object.values(heard).flat().length,
  };
  const el = document.createElement("div");
  el.id = name;
  document.body.append(Object.assign(document.createElement("style"), { textContent: css }), el);
  const { default: widget } = await import(URL.createObjectURL(new Blob([esm], { type: "text/javascript" })));
  mounted[name] = { model, leave: widget.render({ model, el }) };
};
}"""
TRAITS = ("data", "note", "values", "by", "areas", "filters", "rows", "path", "said", "strip", "pictured")


@pytest.fixture(scope="module")
def study() -> Study:
    """The digits in two dimensions: codes, traversals and data are at hand, weights are not needed."""
    return Study(ROOT / "artifacts" / "digits-2d")


@pytest.fixture(scope="module")
def run(study: Study) -> Run:
    return study["beta1-seed0"]


def test_values_move_the_code_by_dimensions_that_have_a_slider(run: Run) -> None:
    widget, told = run.explore(), []
    widget.observe(lambda change: told.append(change.new), "code")
    start, slider = widget.code.copy(), widget.data["sliders"][0]
    dim = slider["moves"][0]["dim"]
    widget.values = {slider["key"]: 1.25}
    assert widget.code[dim] == pytest.approx(1.25)
    assert np.delete(widget.code - start, dim) == pytest.approx(0)
    assert len(told) == 1
    widget.values = {}
    assert (widget.code == start).all()
    for wrong in ({"z9": 1.0}, {slider["key"]: float("nan")}):
        with pytest.raises(InputError, match="moves no slider"):
            widget.values = wrong


def test_one_value_moves_the_matched_dimensions_of_all_runs(study: Study) -> None:
    widget = study.compare("beta1-seed0", "ae-seed0")
    before = widget.codes
    slider = next(each for each in widget.data["sliders"] if all(each["moves"]))
    widget.values = {slider["key"]: slider["start"] + 0.5}
    for k, move in enumerate(slider["moves"]):
        moved = widget.codes[k] - before[k]
        assert moved[move["dim"]] == pytest.approx(0.5 * move["sign"] * move["scale"], abs=1e-5)
        assert np.count_nonzero(moved) == 1
    assert study.compare().data["runs"][0]["label"] != "AE", "a run with a prior has the sliders"
    with pytest.raises(InputError, match="1 of 1 runs"):
        study.compare("ae-seed0")


def test_frames_of_a_model_are_made_again_around_the_code(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from latentlab.browser.widgets import _sliders
    from latentlab.models.live import Live

    class Drawn(Live):  # no network that a page could run
        def decode(self, codes: Any) -> Any:
            return np.full((*np.shape(codes)[:-1], 1, 8, 8), 99, np.uint8)

    monkeypatch.setattr(_sliders, "_model", lambda *_: (Drawn(object(), 1), ""))
    widget = run.explore()
    first, slider = widget.data["runs"][0]["decoder"], widget.data["sliders"][0]
    assert first["kind"] == "frames"
    assert widget.note == ""
    widget.values = {slider["key"]: 1.25}
    again = widget.data["runs"][0]["decoder"]
    assert again["code"] != first["code"]
    assert again["code"] == pytest.approx(widget.code.tolist())


def test_a_lasso_a_filter_and_ids_give_rows_as_a_table(run: Run) -> None:
    widget, codes = run.map(method="plane"), run.codes()
    assert len(widget.selection) == 0
    corner = np.median(widget._xy, axis=0)
    box = [[*corner], [corner[0] + 9, corner[1]], [*(corner + 9)], [corner[0], corner[1] + 9]]
    widget.areas = [[list(map(float, place)) for place in box]]
    inside = (widget._xy > corner).all(axis=1)
    assert set(widget.selection["row"]) == set(codes.row_ids[inside])
    assert (widget.selection[["x", "y"]].to_numpy() > corner).all()
    assert {"row", "label", "z0", "z1"} <= set(widget.selection)
    widget.areas, widget.filters = [], {"label": ["3"]}
    assert set(widget.selection["row"]) == set(codes.row_ids[codes.labels == 3])
    widget.filters, widget.rows = {}, [int(codes.row_ids[5])]
    assert widget.selection["row"].tolist() == [codes.row_ids[5]]
    assert widget.said == f"1 of {len(codes):,} rows selected."


def test_the_kernel_gives_the_picture_of_a_row(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    widget, sent = run.map(method="plane"), []
    monkeypatch.setattr(widget, "send", sent.append)
    row = int(run.codes().row_ids[3])
    widget._asked(widget, {"row": row}, [])
    assert sent[0]["row"] == row
    assert b64decode(sent[0]["picture"].partition(",")[2]).startswith(b"\x89PNG")


def test_what_is_not_there_is_said_in_a_line(run: Run, toy_study: Study) -> None:
    assert "contains no weights" in run.explore().note
    for wrong, told in (({"by": "mood"}, "no varying factor 'mood'"), ({"method": "tsne"}, "it has: plane")):
        with pytest.raises(InputError, match=told):
            run.map(**wrong)
    widget = toy_study.runs[0].map()
    assert "No images of rows" in widget.note
    assert not widget.pictured
    widget.path = widget._ids[:2].tolist()
    assert "cannot be decoded" in widget.said


def test_without_anywidget_the_error_says_what_to_install(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [each for each in sys.modules if each.startswith("latentlab.browser.widgets")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "anywidget", None)
    with pytest.raises(LatentlabError, match=r"pip install 'latentlab\[notebook\]'"):
        run.explore()


def test_an_exported_notebook_keeps_a_picture(run: Run) -> None:
    for widget in (run.explore(), run.map(method="plane")):
        kept = widget._still()
        assert kept["text/html"].startswith('<div class="latentlab-still"><figure><img src="data:image/png;base64,')
        assert b64decode(kept["image/png"]).startswith(b"\x89PNG")


@pytest.mark.browser
def test_widgets_are_alive_in_a_cell_and_tell_the_kernel(chromium: Any, study: Study) -> None:
    widgets = {"explore": study["beta1-seed0"].explore(), "compare": study.compare("beta1-seed0", "ae-seed0")}
    widgets["map"] = study["beta1-seed0"].map(method="plane")
    page = chromium.new_page(viewport={"width": 1000, "height": 900})
    errors: list[str] = []
    requests: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.set_content('<body><p class="latentlab-still">kept</p></body>')
    page.evaluate(MODEL)
    for name, each in widgets.items():
        traits = {trait: getattr(each, trait) for trait in TRAITS if each.has_trait(trait)}
        page.evaluate("(given) => mount(...given)", [name, each._esm, each._css, traits])
    assert page.locator(".latentlab-still").is_hidden()

    for name in ("explore", "compare"):
        page.wait_for_function(f"document.querySelector('#{name} [data-milliseconds]')")
        pictures = f"[...document.querySelectorAll('#{name} figure > canvas')].map((each) => each.toDataURL())"
        before, slider = page.evaluate(pictures), page.locator(f"#{name} input[type=range]").first
        assert len(before) == len(widgets[name].data["runs"])
        page.evaluate("(name) => mounted[name].model.set('values', {})", name)
        box = slider.bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] - 2, box["y"] + box["height"] / 2, steps=8)
        assert page.evaluate("(name) => mounted[name].model.saved.length", name) == 0, "a drag tells nothing"
        page.mouse.up()
        page.wait_for_function("(name) => mounted[name].model.saved.length", arg=name)
        told = page.evaluate("(name) => mounted[name].model.saved.at(-1).values", name)
        widgets[name].values = told
        key = widgets[name].data["sliders"][0]["key"]
        assert told[key] == float(slider.input_value())
        assert all(one != other for one, other in zip(before, page.evaluate(pictures), strict=True))
        page.evaluate("([name, values]) => mounted[name].model.set('values', values)", [name, {key: 0.25}])
        assert slider.input_value() == "0.25", "a value from the kernel moves the slider"

    view = page.locator("#map canvas")
    view.scroll_into_view_if_needed()
    page.get_by_role("button", name="Lasso").click()
    box = view.bounding_box()
    corners = [(x, y) for x, y in ((0.1, 0.1), (0.5, 0.1), (0.9, 0.1), (0.9, 0.9), (0.5, 0.9), (0.1, 0.9), (0.1, 0.1))]
    for k, (x, y) in enumerate(corners):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
        if k == 0:
            page.mouse.down()
    page.mouse.up()
    widgets["map"].areas = page.evaluate("mounted.map.model.saved.at(-1).areas")
    assert 0.5 < len(widgets["map"].selection) / len(widgets["map"]._ids) < 1, "all but what lies outside"
    page.get_by_role("button", name="Move").click()
    page.evaluate("mounted.map.model.set('said', '9 rows selected.')")
    for x in np.linspace(0.45, 0.55, 60):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + 0.5 * box["height"])
        if page.locator("#map .view figure").count():
            break
    page.wait_for_function("mounted.map.model.sent.length")
    row = page.evaluate("mounted.map.model.sent[0].row")
    page.evaluate(
        "(row) => mounted.map.model.tell('msg:custom', { row, picture: 'data:image/gif;base64,R0lGOD' })", row
    )
    page.wait_for_function("document.querySelector('#map .view figure img')?.src ?? true")
    page.get_by_role("button", name="Clear").click()
    assert page.evaluate("mounted.map.model.saved.at(-1).areas") == []
    page.evaluate("Object.values(mounted).forEach(({ leave }) => leave())")
    assert page.evaluate("Object.values(mounted).map(({ model }) => model.heard())") == [0, 0, 0]
    page.close()
    assert errors == []
    assert [each for each in requests if not each.startswith(("data:", "blob:", "about:"))] == []
