"""Map: selections by name, areas in a link, neighbours of a row, and what is laid over the picture."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from toy import toy_codes

import latentlab.codes.h5ad
import latentlab.system.stamps
from latentlab.codes.codes import Codes
from latentlab.codes.selections import neighbours
from latentlab.runs.run import Run
from latentlab.runs.study import Study

RUN = "beta-4-seed-0"


def words(app: Any) -> str:
    return "\n".join(str(element.proto.body) for element in app.get("html"))


def test_a_selection_is_kept_by_name_chosen_again_colours_the_map_and_is_forgotten(
    study_of: Any, open_page: Any
) -> None:
    path = study_of(RUN)
    app = open_page(path, "map", picture="plane", rows="3, 10-19")
    app.text_input[-2].input("mine")
    app.text_input[-1].input("why <b>")
    next(button for button in app.button if button.label == "Save").click().run()
    assert not app.exception
    run = Run(path / RUN)
    assert run.notes()["selections"] == {"mine": {"rows": [3, *range(10, 20)], "note": "why <b>"}}
    again = open_page(path, "map", picture="plane", kept="mine", colours="True")
    assert "11 of mine" in words(again)
    assert "mine: why &lt;b&gt;" in words(again)
    assert "coloured by saved selections" in words(again)
    assert again.query_params["kept"] == "mine"
    next(button for button in again.button if button.label == "Delete").click().run()
    assert not again.exception
    assert run.notes()["selections"] == {}
    assert "11 of mine" not in words(again)


def test_a_link_brings_back_an_area_and_only_in_its_own_picture(toy_study: Study, open_page: Any) -> None:
    codes = toy_study[RUN].codes()
    area = f"map-{RUN}-plane-0-1 -9 -9,0 -9,0 9,-9 9"
    left = int((codes.mean[:, 0] < 0).sum())
    told = words(open_page(toy_study.path, "map", run=RUN, picture="plane", x="z0", y="z1", area=area))
    assert f"{left} of 768 points selected" in told
    assert "The selection" not in words(open_page(toy_study.path, "map", run=RUN, picture="pca", area=area))
    for wrong in ("1 2,3", "a b,c d,e f", ";", "nan nan,1 1,2 2"):
        told = words(open_page(toy_study.path, "map", run=RUN, picture="plane", area=f"map-{RUN}-plane-0-1 {wrong}"))
        assert "Area not found" in told or "cannot be shown" in told


def test_one_row_alone_shows_its_neighbours(study_of: Any, open_page: Any) -> None:
    from pathlib import Path

    mini = Path(__file__).resolve().parents[2] / "artifacts" / "mini" / "beta4-seed0"
    codes = Run(mini).codes()
    nearest = codes.row_ids[neighbours(codes, 5, 4)]
    told = words(open_page(mini, "map", rows=str(codes.row_ids[5])))
    assert f"Row {nearest[0]} first" in told
    assert f"nearest codes: {', '.join(map(str, nearest[1:]))}" in told


def test_neighbours_are_the_nearest_and_an_autoencoders_scale_is_free() -> None:
    codes = toy_codes(4.0, 0)
    found = neighbours(codes, 100, 10)
    distance = np.linalg.norm(codes.mean - codes.mean[100], axis=1)
    assert found[0] == 100
    assert sorted(distance[found]) == sorted(distance)[:10]
    free = toy_codes(None, 0)
    scaled = type(free)(free.mean * [1, 100, 1, 0.01])
    assert set(neighbours(free, 100, 10)) == set(neighbours(scaled, 100, 10))


def test_a_traversal_and_ellipses_are_laid_over_by_link(toy_study: Study, open_page: Any) -> None:
    query = {"run": RUN, "picture": "plane", "x": "z0", "y": "z1", "path": "z0", "from": "100", "ellipses": "True"}
    app = open_page(toy_study.path, "map", **query)
    told = words(app)
    assert "1σ of 60 posteriors" in told
    assert "traversal of z0 drawn" in told
    commands = [str(each.proto.json) for each in app.get("bidi_component")]
    assert any("--set path=0 --set row=100" in each for each in commands)


@pytest.mark.parametrize("picture", ["pca", "plane"])
def test_codes_are_read_once_for_a_page_and_its_figure(
    study_of: Any, open_page: Any, monkeypatch: pytest.MonkeyPatch, picture: str
) -> None:
    read: list[Any] = []
    load = latentlab.codes.h5ad.load_codes

    def counted(path: Any) -> Codes:
        read.append(path)
        return load(path)

    monkeypatch.setattr(latentlab.codes.h5ad, "load_codes", counted)
    monkeypatch.setattr(latentlab.system.stamps, "QUIET", -1)  # as if the files had lain there for a while
    path = study_of(RUN)
    open_page(path, "map", picture=picture)
    assert read == [path / RUN / "codes.h5ad"]
