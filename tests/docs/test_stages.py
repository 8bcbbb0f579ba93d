"""Pages that list stages list those of the code."""

import runpy

from conftest import ROOT

from latentlab.runs.stage import stages
from latentlab.system.registry import names


def test_the_pages_are_as_the_script_writes_them() -> None:
    pages = runpy.run_path(str(ROOT / "docs" / "stages.py"))["renewed"]()
    assert len(pages) == 2
    for path, text in pages.items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name} is out of date: python docs/stages.py"


def test_what_a_stage_names_is_there() -> None:
    kinds = set(names("figures"))
    for name, stage in stages().items():
        assert set(stage.figures) <= kinds, name
        page = stage.page.partition("#")[0] or f"{name}.md"
        assert stage.place == 1 or (ROOT / "docs" / page).is_file(), name


def test_reference_pages_list_what_folders_hold() -> None:
    listed = runpy.run_path(str(ROOT / "docs" / "registries.py"))["on_page_markdown"]
    for folder in ("figures", "metrics"):
        page = (ROOT / "docs" / "reference" / f"{folder}.md").read_text(encoding="utf-8")
        entries = listed(page)
        assert all(f"::: latentlab.{folder}.{name}." in entries for name in names(folder))
