"""What hangs takes no place from others, and keeps no server from ending."""

import asyncio
import contextlib
import http.client
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from toy import write_run

from latentlab.serving.waiting import Threads

pytestmark = pytest.mark.reliability

HUNG = """
import sys, threading, latentlab.serving.thumbnails as thumbnails
def hung(study, run, row):
    threading.Event().wait()
thumbnails.thumbnail = hung
from latentlab.serving.server import serve
if len(sys.argv) > 3:  # and so does a page, in a thread that is no daemon
    threading.Thread(target=threading.Event().wait).start()
serve(sys.argv[1], port=int(sys.argv[2]), browser=False, ready=lambda url: print(url, flush=True))
"""


def test_an_answer_and_an_error_come_through() -> None:
    async def ask() -> list[object]:
        threads = Threads(2, 5)
        found = await asyncio.gather(*(threads.call(lambda k=k: 10 // k) for k in range(9)), return_exceptions=True)
        return list(found)

    first, *others = asyncio.run(ask())
    assert isinstance(first, ZeroDivisionError)
    assert others == [10 // k for k in range(1, 9)]


def test_what_hangs_keeps_its_place_alone() -> None:
    release = threading.Event()

    async def ask() -> None:
        threads = Threads(2, 0.3)
        with pytest.raises(TimeoutError):
            await threads.call(release.wait)
        assert await threads.call(lambda: 7) == 7
        with pytest.raises(TimeoutError):
            await threads.call(release.wait)
        with pytest.raises(TimeoutError):  # both places are taken
            await threads.call(lambda: 7)
        release.set()
        await asyncio.sleep(0.2)
        assert await threads.call(lambda: 7) == 7

    asyncio.run(ask())


def answers(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.parametrize("page", [[], ["page"]], ids=["thumbnails", "a page as well"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_server_with_hung_threads_answers_and_ends(tmp_path: Path, page: list[str], number: int) -> None:
    write_run(tmp_path / "study" / "run", 4.0, 0, analysed=False)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-c", HUNG, str(tmp_path / "study"), str(port), *page]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        for _ in range(45):
            threading.Thread(target=_quietly, args=(port,), daemon=True).start()
        time.sleep(1)
        started = time.monotonic()
        assert answers(port, "/") == 200
        assert answers(port, "/_stcore/health") == 200
        assert time.monotonic() - started < 15, "they wait for threads that never end"
        process.send_signal(number)
        process.wait(15)
    finally:
        process.kill()
        process.communicate()


def _quietly(port: int) -> None:
    with contextlib.suppress(OSError, http.client.HTTPException):
        answers(port, "/thumbnail/run/1.png")
