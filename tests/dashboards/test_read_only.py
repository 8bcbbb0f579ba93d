"""Where others are let in, they look: every page opens, and not a byte of the study changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from latentlab.runs.notes import READ_ONLY

VIEWS = sorted(path.stem for path in (Path(__file__).resolve().parents[2] / "dashboards" / "views").glob("*.py"))


def listing(folder: Path) -> dict[str, tuple[int, int]]:
    return {str(f): (f.stat().st_size, f.stat().st_mtime_ns) for f in folder.rglob("*")}


def test_no_page_writes_and_none_offers_to(study_of: Any, open_page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    path = study_of("beta-4-seed-0", "beta-1-seed-0")
    monkeypatch.setenv(READ_ONLY, "1")
    before = listing(path)
    for page in VIEWS:
        app = open_page(path, page, run="beta-4-seed-0", rows="1-9")
        assert not [button for button in app.button if button.label == "Save"], page
        if page in ("dimensions", "map"):
            said = " ".join(str(each.proto) for each in app.main)
            assert "cannot be saved: this dashboard is open to other machines" in said, page
    assert listing(path) == before


def test_what_others_look_at_is_read_in_a_process_apart(
    study_of: Any, open_page: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No page opens an HDF5 file itself."""
    import h5py

    def opened(*arguments: Any, **options: Any) -> None:
        pytest.fail(f"{arguments} was opened in this process")

    path = study_of("beta-4-seed-0", "beta-1-seed-0")
    monkeypatch.setenv(READ_ONLY, "1")
    monkeypatch.setattr(h5py, "File", opened)
    for page in VIEWS:
        assert open_page(path, page, run="beta-4-seed-0", rows="1-9").main
