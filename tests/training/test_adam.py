"""Our Adam takes torch's steps to the last bit, and leaves torch's compiler unloaded."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from latentlab.training.adam import Adam

TRAINED = """
import sys
import numpy as np
import latentlab as ll
ll.train("digits", "resumed", steps=2, latent_dim=2, checkpoint_every=1, threads=1)
ll.train("digits", "critic", objective="factor-vae", steps=1, latent_dim=2, threads=1)
ll.sweep("digits", "study", beta=[1, 2], steps=1, latent_dim=2, network="mlp", together=True)
print(sorted({"torch._dynamo", "sklearn", "pandas"} & set(sys.modules)))
"""


def steps_of(kind: type[torch.optim.Adam], **options: object) -> list[torch.Tensor]:
    """Weights and moments after six steps, one of them without gradients, saved and loaded after three."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 1))
    optimizer = kind(network.parameters(), lr=1e-2, **options)
    for step in range(6):
        if step == 3:
            state, optimizer = optimizer.state_dict(), kind(network.parameters(), lr=1e-2, **options)
            optimizer.load_state_dict(state)
        optimizer.zero_grad(set_to_none=True)
        if step != 4:
            network(torch.randn(11, 5)).square().mean().backward()
        optimizer.step()
    kept = optimizer.state_dict()["state"].values()
    return [*network.parameters(), *(slots[name] for slots in kept for name in ("step", "exp_avg", "exp_avg_sq"))]


@pytest.mark.parametrize("options", [{"fused": True}, {"fused": True, "betas": (0.5, 0.9)}, {"fused": False}])
def test_its_steps_are_those_of_torch(options: dict[str, object]) -> None:
    ours, theirs = steps_of(Adam, **options), steps_of(torch.optim.Adam, **options)
    assert len(ours) == 4 + 4 * 3
    assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


def test_hooks_are_called_and_a_step_records_no_gradients() -> None:
    weight, called = nn.Parameter(torch.ones(3)), []
    optimizer = Adam([weight], lr=0.1, fused=True)
    optimizer.register_step_pre_hook(lambda *_: called.append("before"))
    optimizer.register_step_post_hook(lambda *_: called.append("after"))
    weight.sum().backward()
    optimizer.step()
    assert called == ["before", "after"]
    assert weight.is_leaf
    assert weight.grad_fn is None


def test_training_loads_neither_torchs_compiler_nor_scikit_learn_nor_pandas(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", TRAINED], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"
