"""One image of a row, for the runs of the study alone."""

import asyncio
import zlib
from pathlib import Path

import numpy as np
import pytest
from toy import write_run

from latentlab.codes.codes import Codes
from latentlab.codes.h5ad import save_codes
from latentlab.data import load
from latentlab.errors import LatentlabError
from latentlab.runs.run import Run
from latentlab.serving.thumbnails import route, thumbnail


@pytest.fixture
def run(tmp_path: Path) -> Run:
    run = write_run(tmp_path / "study" / "run", 4.0, 0, analysed=False, data="digits")
    digits = load("digits")
    mean = np.zeros((len(digits), 4), np.float32)
    save_codes(run.codes_path, Codes(mean, row_ids=digits.row_ids, provenance={"data": "digits", "inputs": {}}))
    return run


def pixels(content: bytes) -> np.ndarray:
    """The grey pixels of a PNG written with filter 0."""
    width, height = (int.from_bytes(content[at : at + 4], "big") for at in (16, 20))
    data = content[content.index(b"IDAT") + 4 : content.index(b"IEND") - 8]
    return np.frombuffer(zlib.decompress(data), np.uint8).reshape(height, width + 1)[:, 1:]


def test_it_is_the_image_of_that_row(run: Run) -> None:
    digits = load("digits")
    for study in (run.path.parent, run.path):
        found = pixels(thumbnail(study, "run", int(digits.row_ids[7])))
        scale = found.shape[0] // digits.form.shape[1]
        np.testing.assert_array_equal(found[::scale, ::scale], digits[7][0, 0])


@pytest.mark.parametrize(("name", "row"), [("run", 10**9), ("run", -1), ("..", 1), ("no", 1), ("../study/run", 1)])
def test_nothing_else_is_shown(run: Run, name: str, row: int) -> None:
    with pytest.raises(LatentlabError):
        thumbnail(run.path.parent, name, row)


def test_the_server_says_what_is_there_and_what_is_not(run: Run) -> None:
    from starlette.requests import Request

    answer = route(run.path.parent).endpoint

    def ask(name: str, row: str) -> tuple[int, str | None]:
        found = asyncio.run(answer(Request({"type": "http", "path_params": {"run": name, "row": row}})))
        return found.status_code, found.headers.get("content-type")

    row = str(load("digits").row_ids[7])
    assert ask("run", row) == (200, "image/png")
    for name, other in (("run", "x"), ("run", "999999999"), ("..", row), ("no", row), ("run", "9" * 40)):
        assert ask(name, other)[0] == 404
    run.codes_path.unlink()
    assert ask("run", row)[0] == 404
