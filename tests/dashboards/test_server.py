"""The server answers this machine alone, takes nothing in, and lets the page load nothing from elsewhere."""

from __future__ import annotations

import http.client
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

from latentlab.errors import InputError, MissingError
from latentlab.runs.study import Study
from latentlab.serving.server import WARM, Door, Guard, serve
from latentlab.serving.shown import as_study
from latentlab.system.resources import dashboard_script

ROOT = Path(__file__).resolve().parents[2]


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes


def ask(server: str, path: str = "/", method: str = "GET", **headers: str) -> Answer:
    """One request with exactly these headers beside the Host."""
    connection = http.client.HTTPConnection(urlsplit(server).netloc, timeout=10)
    try:
        connection.request(method, path, headers={key.replace("_", "-"): value for key, value in headers.items()})
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())
    finally:
        connection.close()


def test_it_listens_on_the_loopback_alone(server: str) -> None:
    port = urlsplit(server).port
    other = next((a[4][0] for a in socket.getaddrinfo(socket.gethostname(), port, socket.AF_INET)), "127.0.0.1")
    if other.startswith("127."):
        other = "127.0.0.2"
    with pytest.raises(OSError, match=r"refused|unreachable"):
        socket.create_connection((other, port), timeout=2)


@pytest.mark.parametrize("path", ["/", "/_stcore/health", "/_stcore/stream", "/static/js/x.js", "/map"])
@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1.evil.example:{port}", ""]
)
def test_a_foreign_host_is_refused_everywhere(server: str, path: str, host: str) -> None:
    asked = host.format(port=urlsplit(server).port)
    answer = ask(server, path, Host=asked)
    assert 400 <= answer.status < 500
    assert b"root" not in answer.body


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "[::1]"])
def test_its_own_names_are_answered(server: str, name: str) -> None:
    assert ask(server, Host=f"{name}:{urlsplit(server).port}").status == 200


def test_a_foreign_origin_is_refused(server: str) -> None:
    assert ask(server, "/_stcore/health", Origin="http://evil.example").status == 403
    assert ask(server, "/_stcore/health", Origin=server).status == 200


def test_a_websocket_from_a_foreign_page_is_refused(server: str) -> None:
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec_WebSocket_Key": "AAAAAAAAAAAAAAAAAAAAAA=="}
    answer = ask(server, "/_stcore/stream", Sec_WebSocket_Version="13", Origin="http://evil.example", **upgrade)
    assert answer.status == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("path", ["/", "/_stcore/upload_file/a/b"])
def test_nothing_is_taken_in(server: str, method: str, path: str) -> None:
    assert ask(server, path, method).status == 405


@pytest.mark.parametrize("path", ["/_stcore/agent/openapi.json", "/_stcore/agent/interact", "/_stcore/agent/mcp"])
def test_the_agent_interface_is_off(server: str, path: str) -> None:
    assert ask(server, path).status == 404


@pytest.mark.parametrize("path", ["/", "/map", "/_stcore/health", "/static/nothing.js"])
def test_every_answer_has_the_security_headers(server: str, path: str) -> None:
    headers = ask(server, path).headers
    policy = headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-inline" not in policy.split("script-src")[1].split(";")[0]
    hosts = re.findall(r"(?:https?|wss?)://([^\s;:]+)", policy)
    assert set(hosts) <= {"127.0.0.1", "localhost"}
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["access-control-allow-origin"] is None


def test_files_of_the_study_are_not_served(server: str, toy_study: Study) -> None:
    for path in (
        "/app/static/config.json",
        "/../ae-seed-0/config.json",
        f"/static/..{toy_study.path}/ae-seed-0/config.json",
    ):
        answer = ask(server, path)
        assert b"objective" not in answer.body


def test_a_port_in_use_is_one_line_that_names_another(toy_study: Study) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        line = [
            sys.executable,
            "-m",
            "latentlab",
            "dashboard",
            str(toy_study.path),
            "--port",
            str(port),
            "--no-browser",
        ]
        done = subprocess.run(
            line, capture_output=True, text=True, timeout=60, env={**os.environ, "PYTHONPATH": str(ROOT)}
        )
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert f"port {port} is in use" in done.stderr
    assert not done.stdout, "no address is told that is not ours"
    assert re.search(r"--port \d+", done.stderr)


def test_a_folder_that_is_no_study_is_refused_before_anything_listens(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a study"):
        serve(tmp_path, browser=False)
    with pytest.raises(MissingError):
        serve(tmp_path / "gone", browser=False)


def test_a_run_alone_is_a_study_of_one(toy_study: Study) -> None:
    alone = as_study(toy_study.path / "ae-seed-1")
    assert [run.name for run in alone.runs] == ["ae-seed-1"]
    assert not alone.broken


def test_the_scripts_are_where_the_server_looks() -> None:
    views = {path.stem for path in (dashboard_script().parent / "views").glob("*.py")}
    assert {"runs", "sweep", "dimensions", "map"} <= views


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://127.0.0.1:1234", 0),
        ("http://localhost:1234", 403),
        ("https://127.0.0.1:1234", 0),
        ("http://127.0.0.1:1234/x", 403),
        ("http://evil@127.0.0.1:1234", 403),
        ("http://[", 403),
        ("null", 403),
        ("", 403),
    ],
)
def test_an_origin_is_this_server_or_refused(origin: str, status: int) -> None:
    guard = Guard(None, Door(port=1234), scripts="")
    headers = [(b"host", b"127.0.0.1:1234"), (b"origin", origin.encode())]
    for kind in ("http", "websocket"):
        assert guard.refuses({"type": kind, "method": "GET", "path": "/", "headers": headers}) == status


def test_the_guard_names_only_scripts_by_hash_and_its_own_port() -> None:
    guard = Guard(None, Door(port=1234), scripts="'sha256-x'")
    policy = dict(guard.headers)[b"content-security-policy"].decode()
    assert "'sha256-x'" in policy
    assert "ws://127.0.0.1:1234" in policy


@pytest.mark.parametrize(
    ("address", "allowed", "match"),
    [
        ("203.0.113.7", False, "add --allow-remote"),
        ("203.0.113.7", True, "does not belong to this machine"),
        ("0.0.0.0", True, "all networks at once"),
        ("::", True, "all networks at once"),
        ("a..b", True, "not known"),
        ("x" * 400, True, "not known"),
    ],
)
def test_another_address_is_refused_without_leave_and_one_that_is_not_ours_with_it(
    toy_study: Study, address: str, allowed: bool, match: str
) -> None:
    with pytest.raises(InputError, match=match) as error:
        serve(toy_study.path, port=1, address=address, allow_remote=allowed, browser=False)
    assert len(str(error.value)) < 200


def own_address() -> str:
    """This machine's address for others, or the loopback's where it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # a datagram socket only looks up the route: nothing is sent
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


def test_others_who_are_let_in_reach_it_by_its_name_and_by_no_other(
    toy_study: Study, started: Callable[..., str]
) -> None:
    address = own_address()
    server = started(toy_study.path, "--address", address, "--allow-remote")
    assert server.startswith(f"http://{address}:")
    port = urlsplit(server).port
    assert ask(server).status == 200
    assert ask(server, Host=f"evil.example:{port}").status == 421
    assert ask(server, Origin="http://evil.example").status == 403
    assert ask(server, Origin=server).status == 200
    assert f"ws://{address}:{port}" in ask(server).headers["content-security-policy"]


@pytest.mark.parametrize(
    "query", ["?run=../../etc", "?run=%2e%2e%2f", "?study=/etc", "?rows=%00", "?dim=" + "9" * 5000]
)
@pytest.mark.parametrize(
    "path", ["/", "/map", "/dimensions/../../etc/passwd", "//etc/passwd", "/%2e%2e/%2e%2e/etc/passwd"]
)
def test_paths_and_queries_reach_no_file(server: str, path: str, query: str) -> None:
    answer = ask(server, path + query)
    assert answer.status in (200, 400, 404)
    assert b"root:" not in answer.body
    assert b"Traceback" not in answer.body


def test_the_options_that_would_talk_to_others_are_off() -> None:
    from latentlab.serving.server import OPTIONS

    assert OPTIONS["browser.gatherUsageStats"] is False
    assert OPTIONS["server.enableAgentApi"] is False
    assert OPTIONS["server.enableXsrfProtection"] is True
    assert OPTIONS["client.showErrorDetails"] == "none"


def test_what_is_imported_while_the_browser_starts_is_there() -> None:
    assert all(find_spec(name) for name in WARM)
