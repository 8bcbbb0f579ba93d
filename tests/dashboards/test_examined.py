"""The panels of debias, outliers, probe and explain: what is there is shown, what is not has its command."""

import re
from typing import Any

from toy import write_run

from latentlab.runs import Study


def words(app: Any) -> str:
    return "\n".join(str(element.proto.body) for element in app.get("html"))


def test_dimensions_says_where_each_acts_and_how_straight(toy_study: Study, open_page: Any) -> None:
    told = words(open_page(toy_study.path, "dimensions"))
    assert "Where each dimension acts" in told
    assert "straightness" in told
    assert len(re.findall(r"<b>z\d</b>", told.split("Where each dimension acts")[1])) == 4


def test_what_was_not_measured_names_its_command(tmp_path: Any, open_page: Any) -> None:
    run = write_run(tmp_path / "beta-4-seed-0", 4.0, 0)
    (run.path / "effects.h5").unlink()
    app = open_page(tmp_path, "dimensions")
    assert "has not been measured" in words(app)
    assert any("latentlab explain" in code.value for code in app.get("code"))
