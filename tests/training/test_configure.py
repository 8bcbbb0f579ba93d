"""What is chosen where nothing was said: a network that takes the images, and no more threads than are allowed."""

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from latentlab.data.kinds import image_form
from latentlab.models import build
from latentlab.runs.config import RunConfig
from latentlab.system import control_groups, machine
from latentlab.system.machine import cores, process_threads
from latentlab.training.configure import choose_network, resolve_hardware


@given(st.integers(1, 3), st.integers(1, 300), st.integers(1, 300))
@settings(max_examples=25, deadline=None)
def test_auto_takes_images_of_any_size(channels: int, height: int, width: int) -> None:
    network = choose_network(image_form((channels, height, width)))
    config = RunConfig(data="any", rows=1, image_shape=(channels, height, width), network=network, latent_dim=2,
                       objective={"name": "vae"}, steps=1, learning_rate=1)  # fmt: skip
    with torch.device("meta"):
        model = build(config)
        assert model.encode(torch.zeros(2, channels, height, width)).mean.shape == (2, 2)
        assert model.decode(torch.zeros(2, 2)).mean.shape == (2, channels, height, width)


@pytest.mark.parametrize(("size", "network"), [
    ((28, 28), "mlp"), ((32, 32), "mlp"), ((64, 64), "burgess"), ((128, 128), "burgess"), ((64, 128), "burgess"),
    ((65, 65), "resnet"), ((100, 100), "resnet"), ((105, 105), "resnet"), ((7, 7), "mlp"), ((1, 1), "mlp"),
    ((20, 3000), "resnet"),
])  # fmt: skip
def test_which_network_it_is(size: tuple[int, int], network: str) -> None:
    assert choose_network(image_form((1, *size))) == network


@pytest.fixture
def _bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(control_groups, "MEMBERSHIP", tmp_path / "none")
    monkeypatch.setattr(machine.os, "sched_getaffinity", lambda pid: set(range(6)), raising=False)


@pytest.mark.usefixtures("_bare")
@pytest.mark.parametrize(
    ("omp", "mkl", "threads"),
    [
        ("1", None, 1), ("4", None, 4), (" 3 ", None, 3), ("2,4", None, 2), ("2", "5", 2), (None, "5", 5),
        ("abc", "5", 5), ("abc", None, 6), ("0", None, 6), ("-2", None, 6), ("", None, 6), ("9" * 5000, None, 6),
        ("9999", None, 1024), ("1.5", None, 6), (None, None, 6),
    ],
)  # fmt: skip
def test_threads_are_as_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, omp: str | None, mkl: str | None, threads: int
) -> None:
    for variable, value in (("OMP_NUM_THREADS", omp), ("MKL_NUM_THREADS", mkl)):
        if value is not None:
            monkeypatch.setenv(variable, value)
    assert process_threads() == threads
    assert resolve_hardware("mlp", "float32", None, "cpu").threads == threads
    assert resolve_hardware("mlp", "float32", 7, "cpu").threads == 7
    assert cores() == 6
