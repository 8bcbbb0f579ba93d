"""Where a loaded model ends up."""

import pytest
import torch

from latentlab.config import Hardware
from latentlab.models._loading import here


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has the device")
def test_a_device_that_is_missing_gives_way_to_the_cpu() -> None:
    assert here(Hardware(device="cuda:0", threads=3)) == Hardware(device="cpu", threads=3)
    assert here(Hardware(device="cpu")) == Hardware(device="cpu")
