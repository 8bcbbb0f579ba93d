"""Laws of the discriminator: what permuting keeps, which way the density ratio points, and whose gradient is whose."""

import pytest
import torch
from tiny import D, images, model

from latentlab.training.objectives import Moment, build_objective
from latentlab.training.objectives.factor_vae import log_ratio, permuted


def correlated(n: int) -> torch.Tensor:
    """Codes of three dimensions, the first two with correlation 0.8: TC is −½ log(1 − 0.8²) = 0.51 nats."""
    z = torch.randn(n, D)
    return torch.stack([z[:, 0], 0.8 * z[:, 0] + 0.6 * z[:, 1], z[:, 2]], dim=1)


def test_permuting_keeps_the_marginals_and_drops_the_correlation() -> None:
    torch.manual_seed(0)
    z = correlated(4000)
    found = permuted(z)
    assert torch.equal(found.sort(dim=0).values, z.sort(dim=0).values)
    assert torch.corrcoef(z.T)[0, 1] > 0.75
    assert abs(torch.corrcoef(found.T)[0, 1]) < 0.06


def test_the_discriminator_learns_the_log_density_ratio() -> None:
    """Positive where the dimensions occur together, negative where not, and TC in the mean."""
    torch.manual_seed(0)
    objective = build_objective({"name": "factor-vae", "width": 32})
    critic = objective.critic(D, "cpu")
    for group in critic.optimizer.param_groups:
        group["lr"] = 2e-3
    for _ in range(400):
        z = correlated(256)
        joint, apart = log_ratio(critic.network, z), log_ratio(critic.network, permuted(z))
        critic.learn(0.5 * (torch.nn.functional.softplus(-joint) + torch.nn.functional.softplus(apart)).mean())
    with torch.no_grad():
        z = correlated(20_000)
        assert log_ratio(critic.network, z).mean().item() == pytest.approx(0.51, abs=0.12)
        together, against = torch.tensor([[1.5, 1.5, 0.0]]), torch.tensor([[1.5, -1.5, 0.0]])
        assert log_ratio(critic.network, together) > 0 > log_ratio(critic.network, against)


def test_each_step_moves_its_own_weights_alone() -> None:
    m, objective = model(), build_objective({"name": "factor-vae", "width": 8})
    critic = objective.critic(D, "cpu")
    terms = objective.terms(m, images(), Moment(0, 50, critic))
    assert terms.critic_loss is not None
    terms.loss.backward(retain_graph=True)
    before = [p.grad.clone() for p in m.parameters()], [p.clone() for p in critic.network.parameters()]
    critic.learn(terms.critic_loss)
    assert all(torch.equal(p.grad, old) for p, old in zip(m.parameters(), before[0], strict=True))
    assert not any(torch.equal(p, old) for p, old in zip(critic.network.parameters(), before[1], strict=True))


def test_without_its_critic() -> None:
    with pytest.raises(TypeError, match=r"Moment\.critic"):
        build_objective({"name": "factor-vae"}).terms(model(), images(), Moment(0, 50))
