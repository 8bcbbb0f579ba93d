"""Single images of a study's data as PNG: what the map shows of the point under the pointer."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

from latentlab.data import Dataset
from latentlab.errors import InputError, LatentlabError
from latentlab.runs.folders import NAME
from latentlab.runs.images import dataset_of, picture_of
from latentlab.runs.run import Run
from latentlab.serving.waiting import Threads
from latentlab.system.png import png, strip

ADDRESS = "/thumbnail/{run}/{row}.png"
AT_A_TIME, SECONDS = 4, 10.0  # of the images of one row, and how long each is waited for

OPENING = Lock()


def thumbnail(study: Path, run: str, row: int) -> bytes:
    """The image of a row of the data that a run's codes were made from, as a PNG.

    Raises `LatentlabError` where there is no such run or row, or the images are not at hand.
    """
    path = study if study.resolve().name == run and (study / "config.json").is_file() else study / run
    if NAME.fullmatch(run) is None or path.is_symlink() or not 0 <= row < 2**62:
        raise InputError(f"no run of the study is called {run[:40]!r}")
    found = Run(path)
    with OPENING:  # one thread opens the data, which many ask for at once
        data = _dataset(path, found.codes_path.stat().st_mtime_ns)
    return png(strip(picture_of(found, data, row)[None]))


@lru_cache(maxsize=4)
def _dataset(path: Path, changed: int) -> Dataset:
    return dataset_of(Run(path))


def route(study: Path) -> Any:
    """The server's route to the images of the data of `study`."""
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    threads = Threads(AT_A_TIME, SECONDS)

    async def answer(request: Request) -> Response:
        """The picture; 404 where there is none, 503 where it takes too long."""
        run, row = request.path_params["run"], request.path_params["row"]
        wanted = int(row) if row.isdecimal() and len(row) < 19 else -1
        try:
            content = await threads.call(lambda: thumbnail(study, run, wanted))
        except TimeoutError:
            return Response(status_code=503)
        except (LatentlabError, OSError):
            return Response(status_code=404)
        return Response(content, media_type="image/png", headers={"cache-control": "private, max-age=300"})

    return Route(ADDRESS, answer, methods=["GET"])
