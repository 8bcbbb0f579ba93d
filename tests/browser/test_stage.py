"""One slider moves the matched dimensions of several decoders in the same frame; a drag survives what the page does."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from toy import write_run

from latentlab.browser.scripts import script, style
from latentlab.browser.stage import stage
from latentlab.codes.symbols import symbols
from latentlab.errors import InputError
from latentlab.models.decoding import decode
from latentlab.models.live import Live, live
from latentlab.runs.run import Run
from latentlab.runs.study import Study

SIZE = 8
PLACES = "() => [...document.querySelectorAll('figure > canvas')].map((canvas) => canvas.toDataURL())"
# Pixels are read in a frame of animation of the reader's own: what was drawn together is seen together.
WATCH = """() => { window.seen = []; const read = () => {
  window.seen.push([...document.querySelectorAll('figure > canvas')].map((canvas) => canvas.toDataURL()));
  requestAnimationFrame(read); }; requestAnimationFrame(read); }"""


def wide_decoder(scale: float) -> Any:
    """A decoder whose image brightens steadily with each dimension, so that every step is another image."""
    import torch

    from latentlab.data.kinds import image_form
    from latentlab.models.autoencoder import Autoencoder
    from latentlab.models.likelihoods import LIKELIHOODS
    from latentlab.models.networks.linear import decoder

    form = image_form((1, SIZE, SIZE))
    module = decoder(4, form.shape)
    torch.manual_seed(0)
    for each in module.parameters():
        each.data = scale * torch.randn_like(each)
    return Autoencoder(torch.nn.Identity(), module, LIKELIHOODS["bernoulli"](form, 1.0), 4, form).eval()


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> list[Run]:
    """Two runs of toy codes, β = 1 and β = 4, of a size that `wide_decoder` decodes."""
    folder = tmp_path_factory.mktemp("pair")
    return [write_run(folder / f"beta-{beta:g}", beta, 0, image_shape=(1, SIZE, SIZE)) for beta in (1.0, 4.0)]


@pytest.fixture(scope="module")
def content(pair: list[Run]) -> dict[str, Any]:
    return stage(pair, [Live(wide_decoder(scale), 1) for scale in (0.5, 0.3)], row=100)


class Mounted:
    """A page with the stage alone, and what it told."""

    def __init__(self, chromium: Any, content: dict[str, Any], mount: str = "mountStage") -> None:
        self.context = chromium.new_context(viewport={"width": 1000, "height": 700})
        self.page = self.context.new_page()
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.set_content(
            f"<style>{style('stage.css')}</style><div id=stage></div><script type=module>{script('stage.js')}\n"
            f"window.told = []; window.show = (data) => {mount}(document.getElementById('stage'), data,"
            " { onMoved: (values) => window.told.push(values) });</script>"
        )
        self.page.wait_for_function("typeof window.show === 'function'")
        self.show(content)

    def show(self, content: dict[str, Any]) -> None:
        self.page.evaluate("(data) => { show(data); }", json.loads(json.dumps(content)))
        self.page.wait_for_function("document.querySelector('#stage').dataset.milliseconds")

    def images(self) -> list[str]:
        self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        return list(self.page.evaluate(PLACES))

    def slider(self, k: int) -> Any:
        return self.page.locator("input[type=range]").nth(k)

    def drag(self, k: int, *, steps: int = 1, up: bool = True) -> None:
        box = self.slider(k).bounding_box()
        middle = box["y"] + box["height"] / 2
        self.page.mouse.move(box["x"] + box["width"] * 0.05, middle)
        self.page.mouse.down()
        for share in np.linspace(0.05, 0.95, steps + 1)[1:]:
            self.page.mouse.move(box["x"] + box["width"] * share, middle)
            self.page.evaluate("() => new Promise(requestAnimationFrame)")
        if up:
            self.page.mouse.up()


@pytest.fixture
def mounted(chromium: Any, content: dict[str, Any]) -> Any:
    opened = Mounted(chromium, content)
    yield opened
    opened.context.close()
    assert not opened.errors


@pytest.mark.browser
def test_a_drag_changes_all_images_in_the_same_frame_through_sixty_and_more(mounted: Mounted) -> None:
    before = mounted.images()
    mounted.page.evaluate(WATCH)
    mounted.drag(0, steps=75)
    seen = [tuple(images) for images in mounted.page.evaluate("window.seen")]
    changes = [(a, b) for a, b in pairwise(seen) if a != b]
    assert all(a[k] != b[k] for a, b in changes for k in (0, 1)), "no image changes without the other"
    for k in (0, 1):
        assert len({images[k] for images in seen}) >= 60
    assert mounted.images() != before


@pytest.mark.browser
def test_what_stands_there_at_last_is_what_python_decodes(mounted: Mounted, pair: list[Run], content: Any) -> None:
    slider = content["sliders"][0]
    mounted.slider(0).focus()
    for _ in range(3):
        mounted.page.keyboard.press("ArrowRight")
    mounted.page.keyboard.press("PageUp")
    mounted.images()
    moved = float(mounted.slider(0).input_value())
    assert moved == pytest.approx(slider["start"] + 0.8, abs=0.011)
    assert mounted.page.evaluate("document.activeElement.type") == "range", "focus stays"
    pixels = mounted.page.evaluate(
        "[...document.querySelectorAll('figure > canvas')].map((canvas) => Array.from("
        f"canvas.getContext('2d').getImageData(0, 0, {SIZE}, {SIZE}).data.filter((_, k) => k % 4 === 0)))"
    )
    for k, scale in enumerate((0.5, 0.3)):
        code, move = np.array(content["runs"][k]["code"], np.float32), slider["moves"][k]
        code[move["dim"]] += move["sign"] * move["scale"] * (moved - slider["start"])
        wanted = decode(wide_decoder(scale), code[None]).ravel().astype(int)
        assert np.abs(np.array(pixels[k]) - wanted).max() <= 1


@pytest.mark.browser
def test_a_second_drag_at_once_and_data_that_come_meanwhile_lose_nothing(mounted: Mounted, content: Any) -> None:
    mounted.drag(0)
    mounted.drag(1, up=False)
    first, second = (mounted.slider(k).input_value() for k in (0, 1))
    mounted.page.evaluate("window.kept = document.querySelectorAll('input')[1]")
    mounted.show(content | {"turn": 0})
    mounted.page.mouse.move(400, 600)
    mounted.page.mouse.up()
    assert mounted.page.evaluate("window.kept.isConnected"), "elements are kept"
    assert mounted.slider(0).input_value() == first
    assert mounted.slider(1).input_value() != content["sliders"][1]["start"]
    assert second != str(content["sliders"][1]["start"])
    keys = [slider["key"] for slider in content["sliders"][:2]]
    mounted.page.wait_for_function("(keys) => keys.every((key) => key in (window.told.at(-1) ?? {}))", arg=keys)


@pytest.mark.browser
def test_values_from_outside_move_the_sliders_and_reset_moves_them_back(mounted: Mounted, content: Any) -> None:
    start = mounted.images()
    key = content["sliders"][1]["key"]
    mounted.show(content | {"turn": 1, "values": {key: 1.5}})
    assert mounted.slider(1).input_value() == "1.5"
    assert mounted.images() != start
    mounted.page.get_by_role("button", name="Reset").click()
    assert mounted.images() == start
    mounted.page.wait_for_function("window.told.length")
    assert mounted.page.evaluate("window.told") == [{}]


@pytest.mark.browser
def test_present_fills_the_window_with_twice_the_type_until_escape(mounted: Mounted) -> None:
    sizes = "() => ['h3', 'figure > canvas'].map((each) => document.querySelector(each)).map((each) => "
    sizes += "[parseFloat(getComputedStyle(each).fontSize), each.getBoundingClientRect().width])"
    (type_before, _), (_, width) = mounted.page.evaluate(sizes)
    assert width >= 240
    mounted.page.get_by_role("button", name="Present").click()
    (type_after, _), (_, wider) = mounted.page.evaluate(sizes)
    assert type_after == 2 * type_before
    assert wider > width
    assert mounted.page.locator("figcaption:visible").count() == 0
    mounted.page.keyboard.press("Escape")
    assert mounted.page.evaluate(sizes)[0][0] == type_before


@pytest.mark.browser
@pytest.mark.parametrize("count", [3, 4])
def test_three_and_four_runs_are_moved_together(chromium: Any, toy_study: Study, count: int) -> None:
    names = ["beta-1-seed-0", "beta-4-seed-0", "ae-seed-0", "beta-16-seed-0"][:count]
    content = stage([toy_study[name] for name in names], [None] * count)
    opened = Mounted(chromium, content)
    before = opened.images()
    opened.drag(0)
    assert all(a != b for a, b in zip(before, opened.images(), strict=True))
    assert "nearest decoded frame" in opened.page.locator("figure > figcaption").last.inner_text()
    widths = opened.page.evaluate("[...document.querySelectorAll('figure > canvas')].map((each) => each.clientWidth)")
    assert min(widths) >= 240
    opened.context.close()
    assert not opened.errors


def test_partners_move_by_as_much_against_an_opposite_sign_and_in_their_own_spread(
    pair: list[Run], toy_study: Study
) -> None:
    first, ae = toy_study["beta-1-seed-0"], toy_study["ae-seed-0"]
    sliders = stage([first, ae], [None, None])["sliders"]
    spread = ae.codes().mean.std(axis=0)
    assert [slider["moves"][0] for slider in sliders] == [
        {"dim": int(slider["key"][1:]), "symbol": slider["key"], "sign": 1, "scale": 1.0} for slider in sliders
    ]
    for slider in sliders:
        other = slider["moves"][1]
        correlation = np.corrcoef(first.codes().mean[:, int(slider["key"][1:])], ae.codes().mean[:, other["dim"]])[0, 1]
        assert other["sign"] == np.sign(correlation)
        assert other["scale"] == pytest.approx(spread[other["dim"]], rel=1e-5)


def test_what_has_no_partner_moves_alone_and_says_so(toy_study: Study) -> None:
    runs = [toy_study[name] for name in ("beta-1-seed-0", "beta-16-seed-0")]
    alone = [slider for slider in stage(runs, [None, None])["sliders"] if slider["moves"][1] is None]
    assert [slider["key"] for slider in alone] == ["z2"]
    assert alone[0]["off"]
    assert alone[0]["fact"] == "β = 1 only"


def test_a_dimension_moved_by_hand_gets_a_slider_however_unimportant(tmp_path: Any) -> None:
    import latentlab as ll

    run = ll.train("digits", tmp_path / "run", steps=2, latent_dim=12)
    ll.encode(run)
    model = live(run)
    shown = [slider["key"] for slider in stage([run], [model], row=5)["sliders"]]
    [left, _] = [each for each in symbols(12) if each not in shown]
    more = stage([run], [model], row=5, moved={left: 1.0})
    assert left in {slider["key"] for slider in more["sliders"]}
    assert more["values"] == {left: 1.0}


def test_curves_have_axes(tmp_path: Any) -> None:
    import latentlab as ll

    curves = np.random.default_rng(0).random((40, 12)).astype(np.float32)
    data = ll.data.from_arrays(curves, kind="signal", axis=np.linspace(900, 1700, 12), axis_unit="nm", unit="a.u.")
    run = ll.train(data, tmp_path / "run", steps=2, latent_dim=2)
    ll.encode(run, data)
    content = stage([run], [live(run)])
    ruler = content["runs"][0]["decoder"]["ruler"]
    assert ruler == run.config.form.ruler
    assert [text for _, text in ruler["x"]] == ["1000", "1200", "1400", "1600"]


@pytest.mark.browser
def test_axes_are_drawn_around_the_picture(chromium: Any, content: dict[str, Any]) -> None:
    ruler = {"x": [(0.5, "1300")], "x_title": "nm", "y": [(1.0, "-2")], "y_title": "a.u.", "channels": []}
    first, second = content["runs"]
    runs = [first | {"decoder": first["decoder"] | {"ruler": ruler}}, second]
    opened = Mounted(chromium, content | {"runs": runs})
    figures = opened.page.locator(".pictures figure")
    told = [figures.nth(0).locator(f".{part}").inner_text() for part in ("left", "below", "up", "across")]
    assert told == ["−2", "1300", "a.u.", "nm"]
    assert not figures.nth(1).locator(".across").is_visible()
    opened.context.close()


def test_a_run_with_neither_weights_nor_traversals_is_refused(tmp_path: Any) -> None:
    run = write_run(tmp_path / "run", 1.0, 0)
    (run.path / "decodings.h5").unlink()
    with pytest.raises(InputError, match="neither weights nor stored traversals"):
        stage([run], [None])
