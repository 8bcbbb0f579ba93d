"""What the reliability tests share: a small data set with factors, finished runs to compare with, processes to kill."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from victims import VERBS, Victims, command


@pytest.fixture(scope="session")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data: 144 images of 8 × 8 with three factors on a full grid."""
    folder = tmp_path_factory.mktemp("ground")
    levels = np.stack(np.unravel_index(np.arange(144), (4, 6, 6)), axis=1)
    y, x = np.mgrid[:8, :8]
    size, down, right = (levels[:, j, None, None] for j in range(3))
    images = 255 * np.exp(-((y - down - 1) ** 2 + (x - right - 1) ** 2) / (1 + size))
    np.savez(
        folder / "data.npz", images=images.astype(np.uint8), factors=levels, factor_names=["size", "down", "right"]
    )
    return folder


@pytest.fixture(scope="session")
def file_layer(tmp_path_factory: pytest.TempPathFactory) -> Path | None:
    """The library of `faults.c`, which makes one call fail when it is told to; none where there is no C compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    library = tmp_path_factory.mktemp("faults") / "faults.so"
    source = Path(__file__).with_name("faults.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
    return library


@pytest.fixture(scope="session")
def victims(ground: Path, file_layer: Path | None) -> Iterator[Victims]:
    """Processes to kill, and whose writes, flushes and renames can be made to fail."""
    found = Victims(ground, **({"LD_PRELOAD": str(file_layer)} if file_layer else {}))
    yield found
    found.close()


@pytest.fixture
def failing(victims: Victims, file_layer: Path | None) -> Victims:
    """The same, where the file layer could be built."""
    if file_layer is None:
        pytest.skip("no C compiler to build the failing file layer with")
    return victims


@pytest.fixture(scope="session")
def finished(ground: Path, victims: Victims) -> Iterator[tuple[Path, dict[str, float]]]:
    """A run that nobody disturbed, stage by stage, and the seconds that each took once everything was warm."""
    run, seconds = ground / "finished", {}
    for verb in VERBS:
        victims.warm(*command(verb, ground, ground / "warm"))
        end = victims.run(*command(verb, ground, run))
        assert end.status == 0, end.errors
        seconds[verb] = end.seconds
    yield run, seconds
    shutil.rmtree(run)
