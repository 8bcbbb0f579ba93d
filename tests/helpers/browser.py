"""A real Chromium on the dashboard, and what its pages complain of and ask for."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 120_000  # ms, for what a busy machine takes long over
QUIET = """() => {
    const busy = document.querySelector("[data-testid=stStatusWidget], [data-stale=true]"), now = performance.now();
    window.quietSince = busy ? now : window.quietSince ?? now;
    return now - window.quietSince > 600;
}"""
# What of the page is beyond its right edge, but for what lies in a table or a command that scrolls.
CUT = """() => [...document.querySelectorAll("[data-testid=stMain] *")].filter((each) => {
    const box = each.getBoundingClientRect();
    const scrolls = each.closest(".ll-scroll, pre, svg, [role=tooltip]");
    return box.width && box.height && box.right > innerWidth + 1 && !scrolls;
}).map((each) => `${each.tagName} ${each.className} ${(each.textContent || "").slice(0, 40)}`)"""


@contextmanager
def chromium(*flags: str) -> Iterator[Any]:
    """A real browser, started with these flags besides; the tests that need it skip where none is installed."""
    found = next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
    )
    if found is None:
        pytest.skip("no Chromium on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=[*FLAGS, *flags])
        yield browser
        browser.close()


class Visit:
    """A page in the browser, and what it complained of and asked for."""

    def __init__(
        self, chromium: Any, server: str, scheme: str = "light", *, width: int = 1440, height: int = 900
    ) -> None:
        self.server, self.errors, self.elsewhere = server, [], []
        context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
        if server.startswith("http:"):
            context.grant_permissions(["clipboard-read", "clipboard-write"], origin=server)
        self.page = context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.page.on("console", lambda said: said.type == "error" and self.errors.append(said.text))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", self._asked)
        self.page.on("websocket", self._asked)

    def _asked(self, request: Any) -> None:
        url = urlsplit(request.url)
        if url.scheme not in ("data", "blob") and url.hostname != "127.0.0.1":
            self.elsewhere.append(request.url)

    def open(self, path: str) -> Any:
        """Go there and wait until everything is drawn."""
        self.page.goto(f"{self.server}/{path}")
        self.page.wait_for_selector(".ll-head h1")
        self.settle()
        return self.page

    def settle(self) -> None:
        """Wait until no script has run and nothing was redrawn for a while."""
        self.page.evaluate("() => { window.quietSince = performance.now(); }")
        self.page.wait_for_function(QUIET, polling=50)

    def tab_to(self, selector: str) -> None:
        """Press Tab until an element that matches the selector has the focus."""
        for _ in range(99):
            self.page.keyboard.press("Tab")
            if self.page.evaluate("(wanted) => document.activeElement.matches(wanted)", selector):
                return
        raise AssertionError(f"Tab does not reach {selector}")
