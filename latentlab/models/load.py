"""A run's model, weights and all: built from its configuration, or by the file of the user's own that it records."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from latentlab.data.kinds import Form, image_form
from latentlab.errors import InputError, MissingError
from latentlab.models.adapter import checked, run_adapter, split
from latentlab.models.autoencoder import Model, build, check_weights, fit_weights, place
from latentlab.models.conditions import at_level
from latentlab.runs.config import Hardware
from latentlab.runs.run import Run
from latentlab.runs.weights import check_model
from latentlab.system import user_code
from latentlab.system.files import sha256
from latentlab.system.machine import process_threads


def load_model(run: Run, adapter: str | Model | None = None) -> Model:
    """The trained model of a run, on its device, ready to encode and decode.

    Parameters
    ----------
    run : Run
        The run.
    adapter : str or Model, optional
        What a run of a user's own model needs: the ``FILE.py:NAME`` that it was imported with, which is then run, or
        the model itself.

    Returns
    -------
    Model
        The model; on the CPU where this machine lacks the device that it was trained on.

    Raises
    ------
    InputError
        For codes without a model, damaged weights, an adapter that is missing or not wanted, a file that has changed
        since, and a model of other weights.
    MissingError
        Where the run has no weights.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> import latentlab as ll
    >>> run = ll.train("digits", f"{mkdtemp()}/run", steps=2, latent_dim=2)
    >>> ll.models.load_model(run).latent_dim
    2
    """
    check_model(run)
    weights = _weights(run)
    if adapter is not None:
        check_adapter(run, adapter)
    model = _built(run, weights) if run.config.adapter is None else _own(run, adapter, weights)
    told: Model = at_level(model, run.config.conditions)
    return told


def _built(run: Run, weights: dict[str, Tensor]) -> Model:
    with torch.device("meta"):  # sizes that the weights do not have are refused before anything is allocated
        check_weights(build(run.config), weights, run.model_path)
    built = build(run.config)
    fit_weights(built, weights, run.model_path)
    return place(built.eval(), here(run.config.hardware))


def here(hardware: Hardware) -> Hardware:
    """The hardware that a run was trained on, with the CPU in place of a device that this machine lacks."""
    kind = hardware.device.partition(":")[0]
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}.get(kind, True)
    return hardware if present else hardware.model_copy(update={"device": "cpu"})


def encoding_threads(run: Run) -> int:
    """How many threads encode with a run's model: those of the process on a CPU, otherwise one.

    A model of the user's own may not bear being called from two threads, so it is called from one.
    """
    config = run.config
    return process_threads() if config.adapter is None and here(config.hardware).device == "cpu" else 1


def own(model: Model) -> nn.Module:
    """The module whose weights a model of the user's own is saved with."""
    found = getattr(model, "own", model)
    if not isinstance(found, nn.Module):
        raise InputError(f"the model is a {type(found).__name__}; expected a torch module")
    return found


def check_adapter(run: Run, adapter: str | Model) -> None:
    """Check that an adapter is the one that a run was imported with; nothing is run.

    Parameters
    ----------
    run : Run
        The run.
    adapter : str or Model
        ``FILE.py:NAME``, or the model.

    Raises
    ------
    InputError
        Where it is another, or the run was imported without one.
    """
    check_model(run)
    recorded = run.config.adapter
    if recorded is None:
        raise InputError(
            f"{run.path} was not imported with an adapter: its model is built from its config; leave the adapter out"
        )
    if not isinstance(adapter, str):
        checked(adapter, "adapter")
        return
    path, name = split(adapter)
    if recorded.file and recorded.sha256 != sha256(path):
        raise InputError(
            f"{path} is not the file that {run.path} was imported with ({recorded.file}, SHA-256 "
            f"{recorded.sha256[:12]}…); restore it, or import the weights with this file into another run"
        )
    if recorded.file and (other := user_code.changed(path, recorded.modules)):
        raise InputError(
            f"{path} imports {other}, which is not the file that {run.path} was imported with; restore it, or import "
            "the weights with this file into another run"
        )
    if recorded.file and recorded.name != name:
        raise InputError(f"{run.path} was imported with {recorded.file}:{recorded.name}, not {name}; name that")


def _own(run: Run, adapter: str | Model | None, weights: dict[str, Tensor]) -> Model:
    recorded = run.config.adapter
    if recorded is None or adapter is None:
        again = f"--adapter {recorded.file}:{recorded.name}" if recorded and recorded.file else "--adapter FILE.py:NAME"
        raise InputError(
            f"{run.path} contains your own model, whose code is not stored in a run; name it: {again} (adapter=… in "
            "Python)"
        )
    if not isinstance(adapter, str):
        return formed(_same(checked(adapter, "adapter"), weights, run), run.config.form)
    model = run_adapter(adapter)
    fit_weights(own(model), weights, run.model_path)
    if isinstance(model, nn.Module):
        place(model, here(run.config.hardware))
    return formed(model, run.config.form)


def formed(model: Model, form: Form) -> Model:
    """A model of the user's own that knows the form of its samples; images in bytes need no telling."""
    if not form.bytes or form != image_form(form.shape):
        if not isinstance(getattr(model, "form", form), Form):
            raise InputError(
                "the model has an attribute form of its own; rename it, for the form of samples goes there"
            )
        model.form = form  # type: ignore[attr-defined]
    return model


def _same(model: Model, weights: dict[str, Tensor], run: Run) -> Model:
    """The model where its weights are those of the run: codes say which weights they were made from."""
    have = own(model).state_dict()
    for name in sorted(have.keys() | weights.keys()):
        if name not in have or name not in weights or not _equal(have[name].cpu(), weights[name]):
            raise InputError(f"the model's {name} is not that of {run.model_path}; save the model as another run")
    return model


def _equal(ours: Tensor, kept: Tensor) -> bool:
    """Whether two tensors hold the same values; a buffer may hold NaN."""
    if ours.shape != kept.shape:
        return False
    same = ours == kept.to(ours.dtype)
    return bool((same | (ours.isnan() & kept.isnan())).all() if ours.is_floating_point() else same.all())


def _weights(run: Run) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if not run.model_path.is_file():
        raise MissingError(f"{run.path} has no model.safetensors; train it first: `latentlab train --out {run.path} …`")
    try:
        weights = load_file(run.model_path)
    except SafetensorError as error:
        raise InputError(f"{run.model_path} cannot be read ({error}); restore it or retrain the run"[:200]) from error
    if not weights:
        raise InputError(f"{run.model_path} contains no weights: this copy of the run was made without them")
    return dict(weights)
