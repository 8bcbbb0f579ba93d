"""The dashboard's script on a study, without a browser and with one."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import browser
import pytest

from latentlab.runs.study import Study

if TYPE_CHECKING:
    from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).resolve().parents[2]
Open = Callable[..., "AppTest"]


@pytest.fixture(scope="session")
def components() -> Iterator[None]:
    """What each test would do anew: asking all installed packages for components, and compiling the script's files.

    A server, too, compiles a file once for all its visitors.
    """
    from streamlit.components.v2 import manifest_scanner
    from streamlit.runtime.scriptrunner.script_cache import ScriptCache
    from streamlit.testing.v1 import app_test, local_script_runner

    found, compiled = manifest_scanner.scan_component_manifests(), ScriptCache()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", lambda: found)
        for module in (app_test, local_script_runner):
            patch.setattr(module, "ScriptCache", lambda: compiled)
        yield


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch, components: None) -> Open:
    """``open_page(study_path, "map", run="beta-4-seed-0")`` runs the script as the browser's first visit would."""
    from streamlit.testing.v1 import AppTest

    def opened(study: Path | str, page: str = "overview", **query: str) -> AppTest:
        monkeypatch.setenv("LATENTLAB_STUDY", str(study))
        app = AppTest.from_file(str(ROOT / "dashboards" / "app.py"), default_timeout=60)
        for key, value in query.items():
            app.query_params[key] = value
        if page != "overview":
            app.switch_page(f"views/{page}.py")
        app.run()
        assert not app.exception, [e.message for e in app.exception]
        return app

    return opened


@pytest.fixture
def study_of(toy_study: Study, tmp_path: Path) -> Callable[..., Path]:
    """``study_of("beta-4-seed-0", "ae-seed-0")``: a study of one's own with copies of those runs."""

    def copied(*names: str) -> Path:
        for name in names:
            shutil.copytree(toy_study.path / name, tmp_path / "study" / name)
        return tmp_path / "study"

    return copied


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A VAE and an AE of two dimensions, trained on digits for a few steps: models that decode."""
    from latentlab.analysis.encode.stage import encode
    from latentlab.analysis.project.stage import project_run
    from latentlab.data import load
    from latentlab.training.train import train

    digits, folder = load("digits"), tmp_path_factory.mktemp("trained") / "study"
    for name in ("vae", "ae"):
        run = train(digits, folder / name, objective=name, latent_dim=2, steps=60, threads=1)
        encode(run, digits)
        project_run(run, methods=("pca",))
    return Study(folder)


@pytest.fixture(scope="session")
def started() -> Iterator[Callable[..., str]]:
    """``started(study_path, "--allow-remote", …)``: the address of a real server in a process of its own."""
    processes = []

    def start(study: Path, *options: str) -> str:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        line = [sys.executable, "-m", "latentlab", "dashboard", str(study), "--port", str(port), "--no-browser"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
        process = subprocess.Popen(
            [*line, *options], cwd=study, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        processes.append(process)
        assert process.stdout is not None
        address = process.stdout.readline().decode().partition(": ")[2].split(" ")[0]
        _wait(address, process)
        return address

    yield start
    for process in processes:
        process.send_signal(signal.SIGINT)
        told = process.communicate(timeout=30)[1].decode()
        assert process.returncode == 130, told
        assert "Traceback" not in told


@pytest.fixture(scope="session")
def server(toy_study: Study, started: Callable[..., str]) -> str:
    """The address of a real server that shows the toy study."""
    return started(toy_study.path)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A real browser; the tests skip where none is installed."""
    with browser.chromium() as started:
        yield started


@pytest.fixture
def visit(chromium: Any, server: str) -> Iterator[browser.Visit]:
    """A fresh browser profile on the toy study; at the end, no error was logged and nobody else was asked."""
    visited = browser.Visit(chromium, server)
    yield visited
    visited.page.context.close()
    assert not visited.errors
    assert not visited.elsewhere


def _wait(address: str, process: subprocess.Popen[bytes], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"the dashboard did not start: {process.poll()}")
