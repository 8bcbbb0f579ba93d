"""What every test shares: one torch thread, and the material beside the project where it is at hand."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from threadpoolctl import threadpool_limits

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from latentlab.runs.study import Study

for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
threadpool_limits(1)  # of what pytest's plugins have loaded already
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # or each process that a test starts compiles the package anew

# A shell starts what runs in its background with Ctrl-C ignored, and children inherit that; the tests send it for real.
signal.signal(signal.SIGINT, signal.default_int_handler)

gc.set_threshold(100_000, 20, 50)  # of all that the libraries hold, little is ever garbage

ROOT = Path(__file__).resolve().parents[1]
LONG = [  # few tests that take long: begun first, or one process is left with them when the others are done
    "test_code_style.py",
    "metrics/test_boosting.py",
    "docs/test_doc_blocks.py",
    "training/test_sweep.py",
    "test_extending.py",
    "cli/test_verbs.py",
    "training/test_parallel.py",
    "analysis/test_analyze_many.py",
    "analysis/test_compute_drawn.py",
    "analysis/test_support_stage.py",
    "docs/test_site.py",
    "analysis/test_simulated_spectra.py",
]
CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder ``shared`` beside the project; the test skips where it is missing (`.ci/run` refuses such a skip)."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("shared/ is not beside the project")
    return folder


@pytest.fixture(scope="session")
def toy_study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A small study on disk, made without torch (`toy.py`); do not write into it."""
    from toy import write_study

    return write_study(tmp_path_factory.mktemp("toy") / "study")


@pytest.fixture(scope="session", autouse=True)
def _no_flush() -> Iterator[None]:
    """No waiting for the disk in this process: what comes of a crash is tried in processes that do wait for it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda handle: None)
        yield


@pytest.fixture(autouse=True)
def _h5py_is_free() -> Iterator[None]:
    """No test leaves h5py's lock held, which would stop every other thread that reads a file.

    Its views, such as ``group.items()``, hold it between two of their items: also where the loop ended in an exception
    that someone keeps.
    """
    yield
    if objects := sys.modules.get("h5py._objects"):
        with ThreadPoolExecutor(1) as other:
            assert other.submit(_had_within, objects.phil, seconds=5).result(), "h5py's lock is still held"


def _had_within(lock: Any, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not (had := lock.acquire(blocking=False)) and time.monotonic() < end:
        time.sleep(0.01)
    if had:
        lock.release()
    return bool(had)


@pytest.fixture
def short_learning(monkeypatch: pytest.MonkeyPatch) -> None:
    """UMAP and readers of factors learn for a short while, for what asks only that they answer."""
    from latentlab.analysis.leakage import reader
    from latentlab.codes import projections

    monkeypatch.setattr(reader, "UPDATES", 200)
    whole = projections.METHODS["umap"]
    monkeypatch.setattr(
        projections,
        "METHODS",
        {**projections.METHODS, "umap": lambda points, seed, given: whole(points, seed, {"n_epochs": 11, **given})},
    )


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A real browser; the tests skip where none is installed."""
    found = next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
    )
    if found is None:
        pytest.skip("no Chromium on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=CHROMIUM)
        yield browser
        browser.close()


def pytest_configure(config: pytest.Config) -> None:
    """Files are handed out in the order of `pytest_collection_modifyitems`, not in pytest-xdist's own."""
    config.option.loadscopereorder = False


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first, then those of most tests; the tests of a file stay as they are."""
    ranks = {ROOT / "tests" / name: rank for rank, name in enumerate(LONG)}
    tests = Counter(item.path for item in items)
    items.sort(key=lambda item: (ranks.get(item.path, len(LONG)), -tests[item.path], str(item.path)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Where ``LATENTLAB_NO_SKIP`` is set (`.ci/run`), a skip is a failure: it would hide what is missing."""
    report = yield
    if report.skipped and os.environ.get("LATENTLAB_NO_SKIP"):
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may be: {report.longrepr}"
    return report
