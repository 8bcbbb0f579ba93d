"""Two tabs on one dimension: neither erases what the other saved."""

from __future__ import annotations

from typing import Any

from latentlab.runs.notes import name_dimension
from latentlab.runs.run import Run


def field(app: Any, label: str) -> Any:
    return next(each for each in app.text_input if each.label == label)


def save(app: Any) -> None:
    next(each for each in app.button if each.label == "Save").click().run()
    assert not app.exception, [e.message for e in app.exception]


def test_a_stale_tab_keeps_the_name_that_another_saved(study_of: Any, open_page: Any) -> None:
    run = Run(study_of("beta-4-seed-0") / "beta-4-seed-0")
    tabs = [open_page(run.path.parent, "dimensions", run=run.name) for _ in range(2)]
    field(tabs[0], "Name").input("hair length")
    save(tabs[0])
    field(tabs[1], "Note").input("seen in rows 5, 17")
    save(tabs[1])
    (kept,) = run.notes()["dimensions"].values()
    assert kept == {"name": "hair length", "note": "seen in rows 5, 17"}


def test_who_changes_what_another_tab_changed_is_told(study_of: Any, open_page: Any) -> None:
    run = Run(study_of("beta-4-seed-0") / "beta-4-seed-0")
    app = open_page(run.path.parent, "dimensions", run=run.name)
    field(app, "Name").input("left")
    for index in range(run.config.latent_dim):
        name_dimension(run, index, name="right")
    save(app)
    assert {each["name"] for each in run.notes()["dimensions"].values()} == {"right"}
    assert any("Not saved" in str(each.proto) for each in app.main)
