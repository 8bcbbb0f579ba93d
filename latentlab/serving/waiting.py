"""Work that a server does not wait for: in threads of its own, a few at a time, each given up after some seconds."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


class Threads:
    """Does blocking work for an event loop: at most `most` at a time, each waited for `seconds`.

    A thread that hangs (a disk that went away) keeps its place, and what finds none in time is a `TimeoutError`; it
    neither takes a place from other requests of the server nor keeps the process from ending.
    """

    def __init__(self, most: int, seconds: float) -> None:
        self.free, self.seconds = asyncio.Semaphore(most), seconds

    async def call(self, work: Callable[[], T]) -> T:
        """What `work` returns or raises; a `TimeoutError` where it takes too long."""
        async with asyncio.timeout(self.seconds):
            await self.free.acquire()
            loop = asyncio.get_running_loop()
            answer: asyncio.Future[T] = loop.create_future()
            threading.Thread(target=self._do, args=(work, loop, answer), daemon=True).start()
            return await answer

    def _do(self, work: Callable[[], Any], loop: asyncio.AbstractEventLoop, answer: asyncio.Future[Any]) -> None:
        try:
            finish, value = answer.set_result, work()
        except Exception as error:
            finish, value = answer.set_exception, error
        if not loop.is_closed():
            loop.call_soon_threadsafe(self._finish, answer, finish, value)

    def _finish(self, answer: asyncio.Future[Any], finish: Callable[[Any], None], value: Any) -> None:
        self.free.release()
        if not answer.done():  # else it was cancelled
            finish(value)


def end_within(seconds: float, stopped: threading.Event, status: int) -> None:
    """End this process where `stopped` is not set in time, or where its other threads outlive its main one."""

    def watch() -> None:
        if stopped.wait(seconds):
            threading.main_thread().join()  # the interpreter then waits for every thread that is not a daemon
            threading.Event().wait(seconds)
        os._exit(status)

    threading.Thread(target=watch, daemon=True).start()
