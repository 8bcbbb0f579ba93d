"""Laws of the maximum mean discrepancy."""

import pytest
import torch

from latentlab.errors import InputError
from latentlab.training.objectives import build_objective
from latentlab.training.objectives.info_vae import mmd


def test_a_weight_that_would_press_the_discrepancy_up_is_refused() -> None:
    build_objective({"name": "info-vae", "alpha": 0.75, "scale": 0.25})
    with pytest.raises(InputError, match=r"scale is 0\.2; .*at least 1 - alpha"):
        build_objective({"name": "info-vae", "alpha": 0.75, "scale": 0.2})


def test_none_between_equal_samples() -> None:
    a = torch.randn(40, 3, generator=torch.Generator().manual_seed(0))
    assert mmd(a, a).abs() < 1e-6
    assert mmd(a, a.flip(0)).abs() < 1e-6


def test_symmetric_and_not_below_zero() -> None:
    torch.manual_seed(0)
    for n in (1, 5, 30):
        a, b = torch.randn(n, 3), torch.randn(2 * n, 3) + 1
        torch.testing.assert_close(mmd(a, b), mmd(b, a))
        assert mmd(a, b) > 0


def test_two_points() -> None:
    """2 (1 − exp(−‖u − v‖²/2d))."""
    u, v = torch.zeros(1, 2), torch.tensor([[3.0, 4.0]])
    assert mmd(u, v).item() == pytest.approx(2 * (1 - torch.exp(torch.tensor(-25 / 4)).item()))


@pytest.mark.parametrize(("mean", "scale"), [(1.0, 1.0), (0.0, 0.3), (-0.5, 2.0)])
def test_closed_form_of_two_gaussians(mean: float, scale: float) -> None:
    """E exp(−‖u − v‖²/2d) for u − v ~ N(m, s² I) is (d/(d + s²))^(d/2) exp(−‖m‖²/(2 (d + s²)))."""
    torch.manual_seed(0)
    d, n = 3, 1500

    def kernel(m: float, s: float) -> float:
        return float((d / (d + s)) ** (d / 2) * torch.exp(torch.tensor(-d * m**2 / (2 * (d + s)))))

    expected = kernel(0, 2 * scale**2) - 2 * kernel(mean, 1 + scale**2) + kernel(0, 2)
    found = mmd(mean + scale * torch.randn(n, d), torch.randn(n, d)).item()
    assert found == pytest.approx(expected, abs=0.015)
    assert expected > 0.03
