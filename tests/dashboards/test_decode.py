"""Decode: a model of a few steps decodes what is asked, the address keeps it, and what it cannot do is explained."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from latentlab.runs.notes import name_selection
from latentlab.runs.run import Run
from latentlab.runs.study import Study


def words(app: Any) -> str:
    return "\n".join(str(element.proto.body) for element in app.get("html"))


def sliders(app: Any) -> dict[str, Any]:
    """What the component was given."""
    import json

    [found] = [each for each in app.get("bidi_component") if "frames" in str(each.proto.json)]
    return dict(json.loads(found.proto.json))


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("interpolation", "from row"),
        ("samples", "draws of each"),
        ("manifold", "equal parts of the prior"),
        ("attribute", "against all others"),
        ("filling", "half is hidden"),
    ],
)
def test_each_part_is_drawn_with_the_command_that_makes_it(
    trained: Study, open_page: Any, what: str, told: str
) -> None:
    app = open_page(trained.path, "decode", what=what, run="vae")
    assert told in words(app)
    assert "cannot be shown" not in words(app)
    assert any(f"latentlab figure {what}" in str(each.proto.json) for each in app.get("bidi_component"))


def test_sliders_start_where_the_link_says_and_frames_meet_the_exact_image(trained: Study, open_page: Any) -> None:
    run = trained["vae"]
    row = int(run.codes().row_ids[5])
    app = open_page(trained.path, "decode", run="vae", at=str(row), z="z1=1.25")
    shown = sliders(app)
    values = {dim["dim"]: dim["value"] for dim in shown["dims"]}
    code = run.codes().mean[5]
    assert values == pytest.approx({"z0": code[0], "z1": 1.25})
    assert shown["start"], "digits are at hand, so the row's image is shown"
    for dim in shown["dims"]:
        assert dim["low"] <= dim["value"] <= dim["high"]
        assert dim["frames"].startswith("data:image/png")
    assert app.query_params["z"] == "z1=1.25"
    app.button(key="random-at").click().run()
    assert int(app.query_params["at"]) in run.codes().row_ids


def test_what_is_not_so_is_said(trained: Study, open_page: Any) -> None:
    for query, told in (
        ({"at": "999999"}, "no row has the id 999999"),
        ({"z": "z9=1"}, "moves no dimension"),
        ({"what": "interpolation", "a": "999999"}, "no row has the id 999999"),
    ):
        assert told in words(open_page(trained.path, "decode", run="vae", **query))
    far = words(open_page(trained.path, "decode", run="vae", z="z0=40"))
    assert "not trained there" in far


def test_an_autoencoder_has_no_missing_pixels_and_its_own_mean(trained: Study, open_page: Any) -> None:
    app = open_page(trained.path, "decode", run="ae", what="filling")
    assert app.session_state["what"] == "sliders"
    assert "from the mean code" in words(app)
    assert "fitted to the codes" in words(open_page(trained.path, "decode", run="ae", what="manifold"))


def test_a_kept_selection_is_an_attribute(trained: Study, open_page: Any) -> None:
    run = Run(trained["vae"].path)
    name_selection(run, "mine", run.codes().row_ids[:50])
    app = open_page(trained.path, "decode", run="vae", what="attribute", of="mine")
    assert "mine (50 rows) against all others" in words(app)
    name_selection(run, "mine", np.empty(0, np.int64))


def test_a_run_without_weights_or_decoder_explains_itself(toy_study: Study, open_page: Any, tmp_path: Path) -> None:
    assert "Model not available" in words(open_page(toy_study.path, "decode"))
    mini = Path(__file__).resolve().parents[2] / "artifacts" / "mini"
    assert re.search("not available</b>.*contains no weights", words(open_page(mini, "decode")))
