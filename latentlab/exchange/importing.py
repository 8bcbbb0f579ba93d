"""Models that were trained elsewhere, as runs: config.json and model.safetensors, and every verb goes on from there."""

from __future__ import annotations

import inspect
import logging
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor, nn
from torch.distributions import Bernoulli, Distribution, Normal

from latentlab.data import Dataset, Form, load
from latentlab.data.dataset import check_form
from latentlab.data.kinds import image_form
from latentlab.errors import InputError, one_line
from latentlab.exchange import zoo
from latentlab.exchange.embeddings.embedding import Embedding, publish
from latentlab.models import Model, Point, build
from latentlab.models.adapter import abilities, checked, record, run_adapter
from latentlab.models.autoencoder import check_weights, fit_weights
from latentlab.models.conditions import at_level
from latentlab.models.encoding import check_variance
from latentlab.models.load import own
from latentlab.models.weight_names import aligned, choose_stem
from latentlab.models.weights import HALF, read_checkpoint, single
from latentlab.results import plain
from latentlab.runs.config import Conditions, RunConfig
from latentlab.runs.data import same_data
from latentlab.runs.identity import identity_of, labelled
from latentlab.runs.run import Run
from latentlab.system import registry
from latentlab.system.files import lock, sha256, write_bytes, write_json
from latentlab.system.validation import validate
from latentlab.training.configure import conditions_of, resolve_hardware

PROBED = 2
WIDE = 64  # samples whose variances are looked at, where those of the first all exceed the prior's
SLACK = 1e-3
LONGEST = 200


def import_run(
    kind: str, path: str | Path, out: str | Path, *, data: Dataset | str | Path | None = None, **options: Any
) -> Run:
    """Import a checkpoint of another library, or a file of weights, as a run.

    Nothing in the checkpoint is executed.

    Parameters
    ----------
    kind : str
        A file of `latentlab.exchange.importers`: ``disvae``, ``pythae``, ``state-dict``, ``codes``, …; ``codes`` and
        ``scvi`` give runs that hold codes without a model.
    path : str or Path
        The checkpoint; or ``zoo:NAME``, a published one, which is downloaded where ``zoo/NAME`` does not have it yet.
    out : str or Path
        The run's folder. If it holds the same run, that is left as it is; a different run is refused.
    data : Dataset, str or Path, optional
        What the model is for; where it is left out, what the checkpoint says.
    **options
        Options of the format. ``key`` and ``prefix`` choose among weights that lie under several keys of a file, or
        have several prefixes; one line of output says what was chosen.

    Returns
    -------
    Run
        The run in that folder.

    Raises
    ------
    InputError
        For an unknown format or option, a file that cannot be read or does not fit, and a folder with another run.
    MissingError
        Where there is nothing at the path.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> import latentlab as ll
    >>> run = ll.train("digits", f"{mkdtemp()}/run", steps=2, latent_dim=2)
    >>> folder = ll.save_pretrained(run, f"{mkdtemp()}/model")
    >>> ll.import_run("huggingface", folder, f"{mkdtemp()}/again").config.label
    'β = 4'
    """
    reader = registry.load("exchange/importers", kind).read
    path = zoo.local(path, kind)
    known = inspect.signature(reader).parameters
    for option in options:
        if option not in known or option in ("path", "cells"):
            raise InputError(f"the format {kind} has no option --{option}; leave it out")
    if "cells" in known:
        return _codes(kind, reader(Path(path), data, **options), Path(out), options)
    dataset = None if data is None else load(data)
    foreign = reader(Path(path), **options, **({"data": dataset} if "data" in known else {}))
    if isinstance(foreign, Embedding):
        if data is not None:
            raise InputError(f"the format {kind} has no option --data: codes alone come without samples; leave it out")
        return _codes(kind, foreign, Path(out), options)
    origin = {"format": kind, "file": foreign.file.name, "sha256": sha256(foreign.file)}
    recorded = plain({**origin, "settings": dict(foreign.recorded)})
    hardware = resolve_hardware(foreign.config["network"], "float32", None, "auto").model_dump()
    content = {
        "rows": 0,
        "steps": 0,
        "learning_rate": 0,
        "hardware": hardware,
        "imported": recorded,
        **plain(foreign.config),
    }
    form = validate(RunConfig, content, str(path)).form
    config: RunConfig = validate(RunConfig, {**content, **_described(dataset, form)}, str(path))
    with torch.device("meta"):
        built = build(config)
    check_weights(built, foreign.weights, foreign.file)
    _say(foreign.said)
    return _publish(Path(out), config, single(foreign.weights), built)


def import_model(
    model: Model | str,
    out: str | Path,
    *,
    data: Dataset | str | Path | None = None,
    weights: str | Path | None = None,
    key: str | None = None,
    prefix: str | None = None,
    objective: dict[str, Any] | None = None,
    condition: Sequence[str] = (),
    condition_encoder: bool = False,
) -> Run:
    """Import your own model as a run.

    Parameters
    ----------
    model : Model or str
        The model itself, or ``FILE.py:NAME``, which is run to make it.
    out : str or Path
        The folder.
    data : Dataset, str or Path, optional
        What the model is for. Two samples are encoded and decoded, so that a model that does not fit says so here; a
        model that only decodes needs none.
    weights : str or Path, optional
        A checkpoint to load into the model first: a file, or a folder or an index of files as Hugging Face has them.
        Its tensors get the types of the model's own.
    key : str, optional
        The entry of the file to load, such as ``ema``.
    prefix : str, optional
        Load only weights whose names begin with it, such as ``ema_model.``. Without key and prefix, the part that
        fits the model is found.
    objective : dict, optional
        What it was trained on, for tables and labels: ``{"name": "beta-vae", "beta": 4}``.
    condition : sequence of str
        Categorical columns of the data that the model is told as ones and zeros (n, k): it has ``decode(z,
        condition)``.
    condition_encoder : bool, default False
        Whether it has ``encode(x, condition)`` as well.

    Returns
    -------
    Run
        It stores the weights; of your code it stores only the file's name and hash, so functions that need the model
        are given it again (``adapter=``).

    Raises
    ------
    InputError
        For a model that does not fit the data or the weights, for an encoder without data, and for key or prefix
        without weights.
    MissingError
        Where a file that is named is not there.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> from torch import nn
    >>> import latentlab as ll
    >>> encoder = nn.Sequential(nn.Flatten(), nn.Linear(64, 2))
    >>> decoder = nn.Sequential(nn.Linear(2, 64), nn.Unflatten(1, (1, 8, 8)))
    >>> model = ll.wrap(encoder, decoder, latent_dim=2, likelihood="gaussian")
    >>> run = ll.import_model(model, f"{mkdtemp()}/run", data="digits")
    >>> run.config.latent_dim, run.encodes, run.decodes
    (2, True, True)
    """
    built = run_adapter(model) if isinstance(model, str) else checked(model, "import_model")
    if weights is not None:
        _load(own(built), Path(weights), key, prefix)
    elif key is not None or prefix is not None:
        raise InputError("key and prefix choose among weights in a file; name it: weights=…, or leave them out")
    can = abilities(built)
    if data is None and can["encodes"]:
        raise InputError("a model with an encoder needs its data; name them: --data SPEC (data=… in Python)")
    dataset = None if data is None else load(data)
    conditions = _conditions(dataset, condition, encoder=condition_encoder)
    form, stochastic = _probe(at_level(built, conditions), dataset)
    adapter = record(model).model_copy(update=can)
    content = {
        "data": "none",
        "rows": 0,
        "form": form,
        "network": "own",
        "adapter": adapter.model_dump(),
        "latent_dim": built.latent_dim,
        "likelihood": "own",
        "objective": plain(objective or {"name": f"own {adapter.name}"}),
        "stochastic": stochastic,
        "conditions": conditions,
        "steps": 0,
        "learning_rate": 0,
        "hardware": resolve_hardware("mlp", "float32", None, "auto").model_dump(),
    }
    config: RunConfig = validate(RunConfig, {**content, **_described(dataset, form)}, "your model")
    return _publish(Path(out), config, own(built).state_dict(), own(built))


def _codes(kind: str, found: Embedding, out: Path, options: dict[str, Any]) -> Run:
    """Codes without a model as a run that knows the file that they were read from."""
    assert found.file is not None
    origin = {"format": kind, "file": found.file.name, "sha256": sha256(found.file), "options": options}
    return publish(replace(found, recorded={**origin, **({"settings": found.recorded} if found.recorded else {})}), out)


def _load(model: nn.Module, path: Path, key: str | None, prefix: str | None) -> None:
    """Load the part of a checkpoint that fits into a model, and say which it was."""
    checkpoint = read_checkpoint(path, key)
    chosen = aligned(checkpoint.under(prefix).weights, model, checkpoint.path)
    names = model.state_dict().keys()
    if key is None and prefix is None and chosen.keys() != names:
        others = {other: read_checkpoint(path, other) for other in checkpoint.others}
        parts = {other: aligned(each.weights, model, path) for other, each in others.items()}
        if fitting := {other: part for other, part in parts.items() if part.keys() == names}:
            best = choose_stem(fitting, path)
            checkpoint, chosen = others[best], fitting[best]
    fit_weights(model, chosen, checkpoint.path)
    narrow = () if any(tensor.dtype in HALF for tensor in model.state_dict().values()) else checkpoint.narrow
    _say(replace(checkpoint, narrow=narrow).said(chosen))


def _say(line: str) -> None:
    """Log what was chosen in a checkpoint, where something was, as a warning of the logger ``latentlab``."""
    if line:
        text = one_line(f"latentlab: {line}")
        logging.getLogger("latentlab").warning("%s", text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…")


def _conditions(data: Dataset | None, names: Sequence[str], *, encoder: bool) -> Conditions | None:
    """What the model is told; None where it is told nothing."""
    if data is None:
        if names:
            raise InputError("a condition is a column of the data; name them: --data SPEC (data=… in Python)")
        return None
    told = conditions_of(data, names, encoder=encoder)
    return None if told is None else validate(Conditions, told, "conditions")


def _described(data: Dataset | None, form: Form) -> dict[str, Any]:
    """What a run's configuration says of its data."""
    if data is None:
        return {}
    check_form(data, form, "the model is for")
    return {"data": data.spec or data.name, "rows": len(data), "source": dict(data.source)}


def _probe(model: Model, data: Dataset | None) -> tuple[Form, bool]:
    """The form of its samples, and whether the encoder gives a variance: found by using the model.

    Raises an `InputError` where the data do not fit it.
    """
    can = abilities(model)
    device = next((parameter.device for parameter in own(model).parameters()), torch.device("cpu"))
    z, posterior = torch.zeros(PROBED, model.latent_dim, device=device), None
    with torch.inference_mode():
        if can["encodes"] and data is not None:
            x = torch.from_numpy((getattr(model, "form", None) or data.form).to_model(data[:PROBED]))
            given = x.to(device, copy=True)
            posterior = _tried("encode", model.encode, given, (Normal, Point))
            if not torch.equal(given.cpu(), x):
                raise InputError(
                    "encode changes the samples that it is given, which are still to be compared with what is decoded: "
                    "let it change a copy (x = 2 * x instead of x.mul_(2))"
                )
            if posterior.mean.shape != (len(x), model.latent_dim):
                raise InputError(
                    f"encode returned means {tuple(posterior.mean.shape)}; expected {(len(x), model.latent_dim)}"
                )
            if not torch.isfinite(posterior.mean).all():
                raise InputError(
                    f"encode returned means that are not finite, on the first {data.form.plural} of {data.name}"
                )
            if not isinstance(posterior, Point):
                check_variance(posterior.mean.numpy(force=True), posterior.variance.numpy(force=True))
            _check_repeatable(posterior, _tried("encode", model.encode, given, (Normal, Point)), data)
            _say_if_wide(model, data, posterior, device)
            z = posterior.mean
        form = getattr(model, "form", None) or (None if data is None else data.form)
        shape = None if form is None else form.shape
        if can["decodes"]:
            likelihood = _tried("decode", model.decode, z, (Distribution,))
            decoded = tuple(likelihood.mean.shape)
            if decoded[1:] != (shape or decoded[1:]) or (shape is None and len(decoded) != 4):
                expected = (len(z), *shape) if shape else f"({len(z)}, channels, height, width)"
                raise InputError(
                    f"decode returned means {decoded}; expected {expected}"
                    + (f", as {data.name} has them" if data else "")
                )
            _check_range(likelihood, measured=can["encodes"])
            form = form or image_form(decoded[1:])
    if form is None:
        raise InputError("a model that only encodes needs its data; name them: --data SPEC (data=… in Python)")
    return form, can["encodes"] and not isinstance(posterior, Point)


def _check_repeatable(first: Normal | Point, again: Normal | Point, data: Dataset) -> None:
    """Codes are not draws: the same samples have the same means, but for what computing in another order changes."""
    if not torch.allclose(first.mean, again.mean, rtol=1e-3, atol=1e-4):
        raise InputError(
            f"encode returned other means for the same {data.form.plural} the second time: return the mean and "
            "log-variance, or the mean alone, and no draw from them; leave dropout to model.eval()"
        )


def _say_if_wide(model: Model, data: Dataset, posterior: Normal | Point, device: torch.device) -> None:
    """Log that what was read as log-variances looks like standard deviations or variances, which are above 0."""
    if isinstance(posterior, Point) or (posterior.variance <= 1).any():
        return
    samples = torch.from_numpy((getattr(model, "form", None) or data.form).to_model(data[:WIDE])).to(device)
    variance = _tried("encode", model.encode, samples, (Normal,)).variance
    if (variance > 1).all():
        low, high = (float(end) for end in variance.log().aminmax())
        _say(
            f"the encoder's log-variances are all above 0 ({low:.2g} to {high:.2g}), wider than the prior: if they are "
            "standard deviations, return torch.distributions.Normal(mean, std)"
        )


def _check_range(likelihood: Any, *, measured: bool) -> None:
    """Means are numbers; where a distortion will be measured, a Bernoulli's are probabilities."""
    low, high = (float(end) for end in likelihood.mean.aminmax())
    bits = measured and isinstance(getattr(likelihood, "base_dist", likelihood), Bernoulli)
    if not (-SLACK <= low <= high <= 1 + SLACK if bits else math.isfinite(low + high)):
        expected = "[0, 1]: pass logits=True if a sigmoid is missing, or likelihood='gaussian'" if bits else "numbers"
        raise InputError(f"decode returned means from {low:.3g} to {high:.3g}; expected {expected}")


def _tried(name: str, method: Any, argument: Tensor, expected: tuple[type, ...]) -> Any:
    try:
        found = method(argument)
    except InputError:
        raise
    except Exception as error:  # the user's own network may raise anything
        message = " ".join(str(error).split())
        way = (
            ": samples are float32, so call model.float()" if "dtype" in message and "float" in message.lower() else ""
        )
        what = f"{name} failed on {tuple(argument.shape)}: {type(error).__name__}: {message}"
        raise InputError(what[: 199 - len(way)] + way) from error
    if not isinstance(found, expected):
        wanted = " or a ".join(each.__name__ for each in expected)
        raise InputError(
            f"{name} returned a {type(found).__name__}; expected a {wanted}: "
            "return ll.wrap(encoder=vae.encode, decoder=vae.decode, latent_dim=…), which takes tensors"
        )
    return found


def _check_finite(weights: dict[str, Tensor], model: nn.Module) -> None:
    """Parameters are numbers; a buffer may hold −∞ (a mask) or anything else that the model is content with."""
    learned = {name for name, _ in model.named_parameters(remove_duplicate=False)}
    for name in sorted(learned & weights.keys()):
        if not torch.isfinite(weights[name]).all():
            raise InputError(f"weight {name[:60]} is not finite; did the training diverge? take an earlier checkpoint")


def _publish(out: Path, config: RunConfig, weights: dict[str, Tensor], model: nn.Module) -> Run:
    """Write the run; one that is there already is kept where it is the same, and refused where it is another."""
    tensors = {name: tensor.detach().cpu().clone().contiguous() for name, tensor in weights.items()}
    if not tensors:
        raise InputError("the model has no weights; wrap the modules or their methods")
    _check_finite(tensors, model)
    settings = config.model_dump(mode="json")
    content = labelled(save(tensors), 0, identity_of(settings))
    if (out / "config.json").is_file():
        run = Run(out)
        theirs, ours = (each.model_dump(exclude={"hardware"}) for each in (run.config, config))
        if same_data(run, config.data):
            theirs["data"] = ours["data"]
        older = save(tensors, metadata={"step": "0"})
        if theirs == ours and run.model_path.is_file() and run.model_path.read_bytes() in (content, older):
            return run
    if out.exists() and (not out.is_dir() or any(f for f in out.iterdir() if not f.name.startswith("."))):
        raise InputError(f"{out} exists and is not empty; choose another folder or remove it")
    with lock(out):
        write_bytes(out / "model.safetensors", content)
        write_json(out / "config.json", settings)
    return Run(out)
