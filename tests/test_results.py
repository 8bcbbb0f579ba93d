import pytest

from latentlab.results import Score


def test_a_notebook_shows_the_number_and_what_stands_beside_it():
    found = Score(
        0.123456,
        parts={"train": 0.2},
        per_factor={"<b>": 0.5},
        interval=(0.1, 0.2),
        nulls={"rotated": 0.05},
        ceiling=0.9,
        beside={"full_grid": 0.13},
        settings={"profile": "dlib@1"},
    )
    shown = found._repr_html_()
    for part in ("dlib@1", "0.1235", "0.1 to 0.2", "rotated codes reach", "0.05", "0.9", "full_grid", "of &lt;b&gt;"):
        assert part in shown
    assert "<b>" not in shown
    assert shown.count("<tr>") == shown.count("</tr>") == 7
    undefined = Score(float("nan"), settings={"undefined": "no factor <varies>"})._repr_html_()
    assert "nan" in undefined
    assert "<th>undefined</th><td>no factor &lt;varies&gt;</td>" in undefined


def test_a_score_that_was_read_shows_what_a_metric_could_not_say():
    unsaid = float("nan")
    found = Score(unsaid, {"train": unsaid}, {"x": unsaid}, interval=(unsaid, unsaid), nulls={"rotated": unsaid})
    read = Score.from_json(found.to_json())
    assert read._repr_html_() == found._repr_html_()
    assert read.to_json() == found.to_json()


@pytest.mark.parametrize("interval", [[], "", {}, [1.0], 3])
def test_an_interval_has_two_ends(interval: object) -> None:
    with pytest.raises(TypeError):
        Score.from_json({"value": 0.5, "interval": interval})
    assert Score.from_json({"value": 0.5, "interval": None}).interval is None
