"""The state of a training on disk: weights, optimizer and step in one file, and the weights alone beside it."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from latentlab.errors import InputError
from latentlab.models.autoencoder import fit_weights
from latentlab.runs.history import parse_step
from latentlab.runs.identity import check_own, identity, labelled
from latentlab.runs.run import Run
from latentlab.system.files import write_bytes
from latentlab.training.history import DivergedError

# What learns, by the prefix of its names in the checkpoint: the model under none, a critic under ``critic.``.
Learners = Mapping[str, tuple[nn.Module, torch.optim.Optimizer]]

HISTORY = "history."  # and the sums of the history since its last line under this


def save(run: Run, learners: Learners, step: int, sums: Mapping[str, Tensor]) -> None:
    """Publish the training state, then the model's weights alone.

    ``sums`` are those of the history since its last line, so that a resume writes the next line as if it had not been.
    """
    from safetensors.torch import save as serialised

    state: dict[str, Tensor] = {}
    for prefix, (network, optimizer) in learners.items():
        weights = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
        broken = [name for name, tensor in weights.items() if not torch.isfinite(tensor).all()]
        if broken:
            raise DivergedError(f"the weight {prefix}{broken[0]} is not finite")
        state |= {f"{prefix}model.{name}": tensor for name, tensor in weights.items()}
        for number, slots in optimizer.state_dict()["state"].items():
            kept = {key: value.detach().cpu().contiguous() for key, value in slots.items()}
            state |= {f"{prefix}optimizer.{number}.{key}": value for key, value in kept.items()}
    weights = _part(state, "model.")
    state |= {f"{HISTORY}{key}": tensor.detach().cpu().contiguous() for key, tensor in sums.items()}
    training = identity(run.path / "config.json")
    for path, tensors in ((run.path / "training.safetensors", state), (run.model_path, weights)):
        # As bytes: the library's own writing to a file leaves, where it is killed, a file that nobody would sweep.
        write_bytes(path, labelled(serialised(tensors), step, training))


def _part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Those whose names begin with `prefix`, without it."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def restore(run: Run, learners: Learners) -> tuple[int, dict[str, Tensor]]:
    """Put the last checkpoint into what learns; the step it was made at, 0 where there is none, and the sums."""
    path = run.path / "training.safetensors"
    if not path.is_file():
        return 0, {}
    from safetensors import SafetensorError, safe_open

    check_own(path)
    try:
        with safe_open(path, "pt") as file:
            step = parse_step(file.metadata()["step"], path)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({error}); restore it or retrain the run"[:200]) from error
    for prefix, (network, optimizer) in learners.items():
        fit_weights(network, _part(tensors, f"{prefix}model."), path)
        try:
            _restore(network, optimizer, _part(tensors, f"{prefix}optimizer."))
        except (KeyError, IndexError, ValueError) as error:
            raise InputError(f"{path} is not a training state of this run; restore it or retrain the run") from error
    return step, _part(tensors, HISTORY)


def _restore(network: nn.Module, optimizer: torch.optim.Optimizer, slots: Mapping[str, Tensor]) -> None:
    """Put an optimizer's slots back, by the number of their parameter; something raised where they are not its own."""
    parameters = list(network.parameters())
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in slots.items():
        number, key = int(name.partition(".")[0]), name.partition(".")[2]
        like = parameters[number]
        if tensor.shape not in (like.shape, ()):
            raise ValueError(f"{name} has shape {tuple(tensor.shape)}")
        # The fused optimizer goes through memory in step: its moments must lie as the parameter lies.
        kept = torch.empty_like(like).copy_(tensor) if tensor.shape == like.shape else tensor
        state.setdefault(number, {})[key] = kept.detach()
    if any(set(state.get(number, ())) != {"step", "exp_avg", "exp_avg_sq"} for number in range(len(parameters))):
        raise KeyError("a slot is missing")
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
