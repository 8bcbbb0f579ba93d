"""The dashboard's server: one study, on this machine only unless others are let in by name.

Streamlit does the serving. What is added: it listens on the loopback alone, answers only requests that were addressed
to it by that name (a foreign page cannot reach it by rebinding its DNS name), takes nothing in over HTTP, and tells the
browser to load nothing from anywhere else. Where others are let in, they only look: nothing is written.
"""

from __future__ import annotations

import base64
import errno
import hashlib
import ipaddress
import os
import re
import socket
import sys
import threading
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from latentlab.errors import InputError, LatentlabError, attempt
from latentlab.runs.notes import READ_ONLY
from latentlab.runs.row import row_of
from latentlab.runs.study import open_path
from latentlab.serving import thumbnails
from latentlab.serving.shown import STUDY, as_study
from latentlab.serving.waiting import end_within
from latentlab.system.resources import dashboard_script

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping
    from types import FrameType

    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]

ADDRESS = "127.0.0.1"
LOOPBACK = (ADDRESS, "localhost", "::1")
METHODS = {"GET", "HEAD"}
WARM = ("pandas", "plotly.graph_objects", "latentlab.figures", "latentlab.analysis.score.scorecard")
GRACE = 3  # seconds that open connections, and threads that work, are given when the server is stopped
WHERE = "window.__streamlit = { BACKEND_BASE_URL: window.location.origin }"
# blob: is how streamlit loads inline components, and plotly compiles its WebGL programs with eval. Of the scripts that
# stand in the page's own text, only those run whose hashes are named.
POLICY = (
    "default-src 'self'",
    "script-src 'self' 'unsafe-eval' blob: {scripts}",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self' data:",
    "media-src 'self' data: blob:",
    "worker-src 'self' blob:",
    "object-src 'none'",
    "base-uri 'self'",
    "form-action 'none'",
    "frame-ancestors 'none'",
)
HEADERS = {
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
LIGHT = {
    "primaryColor": "#0069A5",  # as text on its own tint 4.9 to 1; the palette's blue has 4.3
    "backgroundColor": "#FBFBF9",
    "secondaryBackgroundColor": "#F4F3EF",
    "textColor": "#1C1C1A",
    "linkColor": "#0072B2",
    "borderColor": "#E4E3DD",
    "dataframeHeaderBackgroundColor": "#FBFBF9",
}
DARK = {
    "primaryColor": "#56B4E9",
    "backgroundColor": "#161615",
    "secondaryBackgroundColor": "#1F1F1D",
    "textColor": "#ECEBE6",
    "linkColor": "#56B4E9",
    "borderColor": "#34332F",
    "dataframeHeaderBackgroundColor": "#161615",
}
THEME = {
    "theme.baseRadius": "6px",
    "theme.baseFontSize": 15,
    "theme.headingFontWeights": [600, 600, 600, 600, 600, 600],
    "theme.headingFontSizes": ["22px", "17px", "15px", "15px", "14px", "14px"],
    "theme.showSidebarBorder": True,
}
OPTIONS: dict[str, Any] = {
    "server.headless": True,
    "server.fileWatcherType": "none",
    "server.runOnSave": False,
    "server.enableCORS": True,
    "server.enableXsrfProtection": True,
    "server.enableAgentApi": False,
    "server.enableStaticServing": False,
    "server.baseUrlPath": "",
    "browser.gatherUsageStats": False,
    "client.showErrorDetails": "none",
    "client.showErrorLinks": False,
    "client.toolbarMode": "minimal",
    "client.allowedOrigins": [],
    "global.developmentMode": False,
    "logger.hideWelcomeMessage": True,
    "logger.level": "error",  # a download that is made when it is asked for has no script around it, and warns so
    **THEME,
    **{
        f"theme.{mode}.{key}": value
        for mode, colours in (("light", LIGHT), ("dark", DARK))
        for key, value in colours.items()
    },
}


class Door(NamedTuple):
    """Where the dashboard is reached: a name or number of this machine, and a port."""

    address: str = ADDRESS
    port: int = 8501

    @property
    def url(self) -> str:
        """What to open in a browser."""
        return f"http://{_bracketed(self.address)}:{self.port}"

    @property
    def hosts(self) -> set[str]:
        """The Host headers that mean this server: its own name, and those of the loopback."""
        return {f"{_bracketed(name)}:{self.port}".lower() for name in (self.address, *LOOPBACK)}


def _bracketed(name: str) -> str:
    """A name as it stands in a URL: IPv6 numbers in brackets."""
    return f"[{name}]" if ":" in name else name


def serve(
    study: Path | str,
    *,
    port: int = 8501,
    address: str = ADDRESS,
    allow_remote: bool = False,
    browser: bool = True,
    ready: Callable[[str], None] | None = None,
) -> None:
    """Show a study (or a single run) at ``http://<address>:<port>`` until Ctrl-C, which raises `KeyboardInterrupt`.

    An `address` that other machines reach needs ``allow_remote``: whoever reaches it sees the study, without a password
    and unencrypted, and nothing at all is written, names and notes included. ``ready`` is called with the URL once the
    port is ours. Raises `InputError` where the folder is not a study, the port is taken or the address is not one's
    own.
    """
    open_path(study)
    listener = _listen(address, port, allow_remote)
    try:
        door = Door(address, listener.getsockname()[1])
        app = dashboard(study, door, read_only=allow_remote)
        _keep_importable(dashboard_script().parent)
        threading.Thread(target=_warm, args=[Path(study)], daemon=True).start()
        if ready is not None:
            ready(door.url)
        _run(app, listener, door.url if browser else "")
    finally:
        listener.close()


def dashboard(study: Path | str, door: Door, *, read_only: bool = False) -> Any:
    """The ASGI application that shows `study` and answers to this door's names alone."""
    from starlette.middleware import Middleware
    from starlette.responses import HTMLResponse
    from starlette.routing import Route
    from streamlit import App, config
    from streamlit.web import bootstrap

    os.environ[STUDY] = str(Path(study).resolve())
    os.environ[READ_ONLY] = "1" if read_only else ""
    hosts = [door.address, *LOOPBACK]
    places = {"server.address": door.address, "server.port": door.port, "server.allowedHosts": hosts}
    # Neither settings nor secrets (which become variables of the environment) come from a folder: what is served is
    # what was asked for. Streamlit looks into ./.streamlit, which may be a stranger's.
    config.get_config_files = lambda file_name: []
    seen = {"browser.serverAddress": door.address, "browser.serverPort": door.port}
    bootstrap.load_config_options({**OPTIONS, **places, **seen})
    script, page = dashboard_script(), _page()
    paths = ["/", *(f"/{each.stem}" for each in sorted((script.parent / "views").glob("*.py")))]
    routes = [Route(path, lambda request: HTMLResponse(page), methods=["GET"]) for path in paths]
    routes.append(thumbnails.route(Path(study).resolve()))
    return App(script, routes=routes, middleware=[Middleware(Guard, door=door, scripts=_hashes(page))])


def _keep_importable(folder: Path) -> None:
    """Let the pages' own modules be imported as long as the process lives.

    Streamlit takes their folder from the path when the script that added it ends, although the script of another tab
    still imports from it.
    """
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


def _warm(path: Path) -> None:
    """Import what the first page needs and read the runs, while the browser starts and loads Streamlit's scripts.

    The runs are read from the last to the first: the page, which begins with the first, meets this half-way.
    """
    for name in WARM:
        import_module(name)
    runs, _ = attempt(lambda: as_study(path).runs, ())  # what cannot be shown is said by the page
    for run in reversed(runs):
        row_of(run)


def _page() -> str:
    """Streamlit's page with two scripts of our own before its own.

    The first tells where the server is: left to guess below a page's path, Streamlit asks in vain and says so. The
    second keeps the browser's history to one entry per act of the user.
    """
    import streamlit

    page = (Path(streamlit.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    frame = dashboard_script().with_name("frame.js").read_text(encoding="utf-8")
    return page.replace("<head>", f"<head>\n    <script>{WHERE}</script>\n    <script>{frame}</script>", 1)


def _hashes(page: str) -> str:
    """The scripts written out in a page, as a content security policy names them."""
    inline = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in inline]
    return " ".join(f"'sha256-{digest}'" for digest in digests)


def _listen(address: str, port: int, allow_remote: bool) -> socket.socket:
    try:
        family, _, _, _, place = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as error:
        raise InputError(
            f"address {address!r:.60} is not known; expected a name or IP address of this machine"
        ) from error
    number = ipaddress.ip_address(str(place[0]).partition("%")[0])
    if number.is_unspecified:
        raise InputError(f"address {address} means all networks at once; name one address")
    if not number.is_loopback and not allow_remote:
        raise InputError(f"address {address} can be reached by other machines; add --allow-remote to allow that")
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(place)
        listener.listen(128)
        return listener
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRNOTAVAIL:
            raise InputError(
                f"address {address} does not belong to this machine; expected one of its addresses"
            ) from error
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        why = "is in use" if error.errno == errno.EADDRINUSE else "needs more permissions"
        raise InputError(f"port {port} {why}; try another: `latentlab dashboard … --port {_free_port()}`") from error


def _free_port() -> int:
    with socket.socket(socket.AF_INET) as probe:
        probe.bind((ADDRESS, 0))
        return int(probe.getsockname()[1])


def _run(app: Any, listener: socket.socket, url: str) -> None:
    """Answer until Ctrl-C; the desktop is asked to open `url` where one is given."""
    import uvicorn

    options: dict[str, Any] = {"log_level": "warning", "access_log": False, "server_header": False}
    server = uvicorn.Server(uvicorn.Config(app, ws_max_size=32 << 20, timeout_graceful_shutdown=GRACE, **options))
    stopped = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        end_within(2 * GRACE, stopped, 128 + number)
        uvicorn.Server.handle_exit(server, number, frame)

    server.handle_exit = stop  # type: ignore[assignment]
    if url:
        _open_browser(url)
    try:
        server.run(sockets=[listener])
    finally:
        stopped.set()
    if not server.started:
        raise LatentlabError("the dashboard's server did not start; see the messages above")


def _open_browser(url: str) -> None:
    """Ask the desktop to open the page; the socket listens already, so the page waits for the server's first answer."""
    import webbrowser

    threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()


class Guard:
    """ASGI middleware: lets through what was meant for this server, and sends security headers with every answer."""

    def __init__(self, app: Any, door: Door, scripts: str) -> None:
        self.app = app
        self.hosts = door.hosts
        sockets = " ".join(f"ws://{host}" for host in sorted(self.hosts) if not host.startswith("["))
        policy = "; ".join([*POLICY, f"connect-src 'self' {sockets}"]).format(scripts=scripts)
        self.headers = [(k.encode(), v.encode()) for k, v in {**HEADERS, "content-security-policy": policy}.items()]

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
        elif status := self.refuses(scope):
            await self._refuse(scope, send, status)
        elif scope["type"] == "websocket":
            await self.app(scope, receive, send)
        else:
            await self.app(scope, receive, self._with_headers(send))

    def refuses(self, scope: Message) -> int:
        """The HTTP status to refuse a request with; 0 to let it through."""
        headers = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in scope["headers"]}
        host = headers.get("host", "").lower()
        if host not in self.hosts:
            return 421
        if headers.get("origin", f"http://{host}").lower() not in (
            f"http://{host}",
            f"https://{host}",
        ):  # a TLS tunnel's
            return 403
        if scope["type"] == "http" and scope["method"] not in METHODS:
            return 405
        return 404 if scope["path"].startswith("/_stcore/agent") else 0

    def _with_headers(self, send: Send) -> Send:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                ours = {key for key, _ in self.headers}
                kept = [pair for pair in message.get("headers", []) if pair[0].lower() not in ours]
                message = {**message, "headers": [*kept, *self.headers]}
            await send(message)

        return sending

    async def _refuse(self, scope: Message, send: Send, status: int) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        start = {"type": "http.response.start", "status": status, "headers": [(b"content-type", b"text/plain")]}
        await self._with_headers(send)(start)
        await send({"type": "http.response.body", "body": b"This dashboard answers only to its own name.\n"})
