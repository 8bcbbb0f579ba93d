"""Decode: a model of a few steps decodes what is asked, the address keeps it, and what it cannot do is explained."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from latentlab.codes.alignment import shared_row
from latentlab.runs.notes import name_selection
from latentlab.runs.run import Run
from latentlab.runs.study import Study


def words(app: Any) -> str:
    return "\n".join(str(element.proto.body) for element in app.get("html"))


def sliders(app: Any) -> dict[str, Any]:
    """What the component was given."""
    import json

    [found] = [each for each in app.get("bidi_component") if "sliders" in str(each.proto.json)]
    return dict(json.loads(found.proto.json))


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("interpolation", "from row"),
        ("samples", "samples of each"),
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


def test_sliders_start_where_the_link_says_with_the_decoder_itself(trained: Study, open_page: Any) -> None:
    run = trained["vae"]
    row = int(run.codes().row_ids[5])
    app = open_page(trained.path, "decode", run="vae", at=str(row), z="z1=1.25")
    shown = sliders(app)
    starts = {each["key"]: each["start"] for each in shown["sliders"]}
    assert starts == pytest.approx(dict(zip(("z0", "z1"), run.codes().mean[5], strict=True)))
    assert shown["values"] == {"z1": 1.25}
    assert shown["start"], "digits are at hand, so the row's image is shown"
    assert [each["decoder"]["kind"] for each in shown["runs"]] == ["network"]
    assert app.query_params["z"] == "z1=1.25"


def test_without_a_row_the_sliders_start_from_a_typical_one(trained: Study, open_page: Any) -> None:
    codes = trained["vae"].codes()
    row = shared_row([codes])
    app = open_page(trained.path, "decode", run="vae")
    assert f"from row {row}" in words(app)
    assert sliders(app)["startSaid"] == f"original, row {row}"


def test_what_is_set_by_hand_wrongly_leaves_the_sliders(trained: Study, open_page: Any) -> None:
    for query in ({"z": "z9=1"}, {"at": "999999"}):
        assert len(sliders(open_page(trained.path, "decode", run="vae", **query))["sliders"]) == 2


def test_what_is_not_so_is_said(trained: Study, open_page: Any) -> None:
    for query, told in (
        ({"at": "999999"}, "no row has an id of 999999"),
        ({"z": "z9=1"}, "moves no dimension"),
        ({"what": "interpolation", "a": "999999"}, "no row has an id of 999999"),
    ):
        assert told in words(open_page(trained.path, "decode", run="vae", **query))
    far = words(open_page(trained.path, "decode", run="vae", z="z0=40"))
    assert "not trained there" in far


def test_an_autoencoder_has_no_missing_pixels_and_its_own_mean(trained: Study, open_page: Any) -> None:
    app = open_page(trained.path, "decode", run="ae", what="filling")
    assert app.session_state["what"] == "sliders"
    assert len(sliders(app)["sliders"]) == 2
    assert "fitted to the codes" in words(open_page(trained.path, "decode", run="ae", what="manifold"))


def test_a_kept_selection_is_an_attribute(trained: Study, open_page: Any) -> None:
    run = Run(trained["vae"].path)
    name_selection(run, "mine", run.codes().row_ids[:50])
    app = open_page(trained.path, "decode", run="vae", what="attribute", of="mine")
    assert "mine (50 rows) against all others" in words(app)
    name_selection(run, "mine", np.empty(0, np.int64))


def test_a_run_without_weights_shows_its_stored_traversals_and_the_next_step(open_page: Any) -> None:
    app = open_page(Path(__file__).resolve().parents[2] / "artifacts" / "digits-2d", "decode")
    assert re.search("not available</b>.*contains no weights", words(app))
    assert "latentlab demo" in [code.value for code in app.code]
    assert [each["decoder"]["kind"] for each in sliders(app)["runs"]] == ["frames"]
    assert len(sliders(app)["sliders"]) == 2
