"""The images of each step: the order of epochs, what is kept in memory, and the thread that runs ahead."""

from collections.abc import Iterator
from contextlib import closing
from itertools import chain

import numpy as np
import pytest
import torch

from latentlab.data.dataset import Dataset
from latentlab.errors import InputError
from latentlab.runs.config import RunConfig
from latentlab.training import batches
from latentlab.training.batches import Batches
from latentlab.training.configure import configure

IMAGES = np.random.default_rng(0).integers(0, 256, (200, 3, 8, 8)).astype(np.uint8)
IMAGES[:, 0, 0, 0] = np.arange(200)  # a pixel that names the row


class Counted:
    """A data set that notes which rows were read."""

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.data = Dataset("rows", IMAGES.shape, self.read)

    def read(self, rows: np.ndarray) -> np.ndarray:
        self.rows.extend(rows)
        return IMAGES[rows]


def config(data: Dataset, **options: object) -> RunConfig:
    return configure(data, **{"batch_size": 50, "steps": 8, "threads": 1, **options})  # reads all rows: their hash


def named(x: torch.Tensor) -> list[int]:
    return (x[:, 0, 0, 0] * 255).round().int().tolist()


@pytest.fixture(params=["resident", "streamed"])
def counted(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Counted]:
    if request.param == "streamed":
        monkeypatch.setattr(batches, "RESIDENT", 0)
    return Counted()


def test_an_epoch_visits_every_row_once(counted: Counted) -> None:
    with closing(Batches(counted.data, config(counted.data))) as found:
        steps = [named(found[step]) for step in range(8)]
    first, second = list(chain(*steps[:4])), list(chain(*steps[4:]))
    assert sorted(first) == sorted(second) == list(range(200))
    assert first != second


def test_images_are_read_once_where_they_fit_and_each_epoch_where_not(counted: Counted) -> None:
    settings = config(counted.data)
    counted.rows.clear()
    with closing(Batches(counted.data, settings)) as found:
        for step in range(8):
            _ = found[step]
    assert len(counted.rows) == (400 if batches.RESIDENT == 0 else 200)


def test_any_step_is_the_same_wherever_the_training_began(counted: Counted) -> None:
    """A resume jumps into the middle; a step past the next one is not what the thread made ready."""
    with (
        closing(Batches(counted.data, config(counted.data))) as whole,
        closing(Batches(counted.data, config(counted.data))) as later,
    ):
        steps = [whole[step] for step in range(8)]
        for step in (5, 6, 2, 7):
            assert torch.equal(later[step], steps[step])


def test_pixels_are_those_of_the_images_in_the_layout_asked_for(counted: Counted) -> None:
    for network, fmt in (("mlp", torch.contiguous_format), ("burgess", torch.channels_last)):
        with closing(Batches(counted.data, config(counted.data, network=network))) as found:
            x = found[0]
        assert x.is_contiguous(memory_format=fmt)
        assert torch.equal(x, torch.from_numpy(IMAGES[named(x)]).float() / 255)


def test_grey_images_say_channels_last_by_their_strides() -> None:
    grey = Dataset("grey", (200, 1, 8, 8), lambda rows: IMAGES[rows, :1])
    with closing(Batches(grey, config(grey, network="burgess"))) as found:
        assert found[0].stride() == (64, 1, 8, 1)


def test_a_batch_larger_than_the_data_is_all_of_it() -> None:
    data = Counted().data
    with closing(Batches(data, config(data, batch_size=1000))) as found:
        assert found[7].shape == (200, 3, 8, 8)


def test_what_goes_wrong_in_the_thread_is_raised_at_its_step() -> None:
    damaged = []

    def read(rows: np.ndarray) -> np.ndarray:
        if damaged and 7 in rows:
            raise InputError("image 7 is damaged")
        return IMAGES[rows]

    data = Dataset("damaged", IMAGES.shape, read)
    settings = config(data)
    damaged.append(7)
    with closing(Batches(data, settings)) as found, pytest.raises(InputError, match="image 7"):
        [found[step] for step in range(4)]
