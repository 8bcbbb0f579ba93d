"""Checkpoints as trainers save them: nested keys and prefixes, several files, half precision."""

import argparse
import functools
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

import latentlab as ll
from latentlab.cli import run as cli
from latentlab.data import load
from latentlab.errors import InputError, MissingError
from latentlab.exchange.importing import import_model, import_run
from latentlab.models import build
from latentlab.models.weight_names import aligned, removed
from latentlab.models.weights import read_checkpoint, read_weights
from latentlab.runs.run import Run
from latentlab.training.configure import configure

STATE = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)).state_dict()


OTHER = {name: tensor + 1 for name, tensor in STATE.items()}


Weights = dict[str, Tensor]


def same(one: Weights, other: Weights) -> bool:
    return one.keys() == other.keys() and all(
        one[name].dtype == other[name].dtype and torch.equal(one[name], other[name]) for name in one
    )


NAMES = st.sampled_from(["checkpoint", "weights", "vae", "best", "g", "inner", "model", "state_dict", "net"])


SEGMENTS = st.sampled_from(["module", "_orig_mod", "model", "net", "vae", "ema", "student", "_fsdp_wrapped_module"])


@given(st.lists(NAMES, max_size=4, unique=True), st.lists(SEGMENTS, max_size=3), st.booleans(), st.booleans())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_keys_and_any_prefix_in_any_nesting(
    tmp_path_factory: pytest.TempPathFactory, keys: list[str], prefix: list[str], foreign: bool, trained: bool
) -> None:
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    content: Any = {".".join([*prefix, name]): tensor for name, tensor in STATE.items()}
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.randn(4, 3)).sum().backward()
    optimizer.step()
    for key in reversed(keys):
        content = {key: content}
        content |= {"optimizer": optimizer.state_dict(), "epoch": 3} if trained else {}
        content |= {"config": functools.partial(print)} if foreign else {}
    path = tmp_path_factory.mktemp("nested") / "m.pt"
    torch.save(content, path)
    assert same(aligned(read_weights(path), model, path), dict(STATE))
    if keys:
        assert same(
            aligned(read_weights(path), model, path),
            aligned(read_checkpoint(path, ".".join(keys)).weights, model, path),
        )


@pytest.mark.parametrize("foreign", [False, True])
def test_weights_in_lists_and_among_other_things(tmp_path: Path, foreign: bool) -> None:
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    config: dict[str, Any] = {"config": functools.partial(print)} if foreign else {}
    optimizer = torch.optim.Adam(model.parameters()).state_dict()
    for content in (
        [dict(STATE), {"epoch": 3, **config}],
        (3, {"models": [dict(STATE)], **config}),
        {**STATE, "epoch": 3, "optimizer": optimizer, **config},
        {"state_dict": {**{f"vae.{n}": w for n, w in STATE.items()}, "vae._extra_state": None}, **config},
    ):
        torch.save(content, tmp_path / "m.pt")
        found = read_weights(tmp_path / "m.pt")
        assert not any(name.startswith(".") for name in found)
        assert same(aligned(found, model, tmp_path / "m.pt"), dict(STATE))
    torch.save({"members": [dict(STATE), OTHER], **config}, tmp_path / "m.pt")
    assert same(read_checkpoint(tmp_path / "m.pt", "members.1").weights, OTHER)
    with pytest.raises(InputError, match=r"under 'members\.0\.', 'members\.1\.'"):
        aligned(read_weights(tmp_path / "m.pt"), model, tmp_path / "m.pt")


def test_a_key_chooses_and_a_wrong_one_is_answered_with_those_there_are(tmp_path: Path) -> None:
    torch.save(
        {"model": STATE, "ema": {"inner": OTHER}, "parts": {"encoder": STATE, "decoder": OTHER}}, tmp_path / "m.pt"
    )
    assert same(read_weights(tmp_path / "m.pt"), dict(STATE))
    for key in ("ema.inner", "inner", "ema"):
        chosen = read_checkpoint(tmp_path / "m.pt", key).weights
        assert same({name.removeprefix("inner."): w for name, w in chosen.items()}, OTHER)
    assert set(read_checkpoint(tmp_path / "m.pt", "parts").weights) == {
        f"{part}.{name}" for part in ("encoder", "decoder") for name in STATE
    }
    with pytest.raises(
        InputError, match=r"no weights under the key 'vae'; expected one of: model, ema\.inner, parts\.enc"
    ):
        read_checkpoint(tmp_path / "m.pt", "vae")
    save_file(dict(STATE), tmp_path / "m.safetensors")
    with pytest.raises(
        InputError, match=r"no weights under the key 'ema'; expected one of: none: its weights lie at the top"
    ):
        read_checkpoint(tmp_path / "m.safetensors", "ema")


def test_a_prefix_chooses_and_a_wrong_one_is_answered(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(64, 2))
    model = ll.wrap(encoder, latent_dim=2)
    other = {name: tensor + 1 for name, tensor in encoder.state_dict().items()}
    both = {f"{part}.{n}": w.clone() for part, s in (("a", encoder.state_dict()), ("b", other)) for n, w in s.items()}
    save_file(both, tmp_path / "w.safetensors")
    with pytest.raises(InputError, match="choose one with --key or --prefix"):
        import_model(model, tmp_path / "run", data="digits", weights=tmp_path / "w.safetensors")
    for prefix in ("b", "b."):
        run = import_model(model, tmp_path / "run", data="digits", weights=tmp_path / "w.safetensors", prefix=prefix)
    assert same(load_file(run.model_path), {f"encoder.{name}": tensor for name, tensor in other.items()})
    assert caplog.messages == ["latentlab: w.safetensors: removed the prefix 'b.', ignored the weights a."] * 2
    with pytest.raises(InputError, match=r"no weights under 'c\.'; names begin with a\., b\."):
        import_model(model, tmp_path / "run", data="digits", weights=tmp_path / "w.safetensors", prefix="c")
    with pytest.raises(InputError, match="name it: weights="):
        import_model(model, tmp_path / "run", data="digits", prefix="c")


def test_another_key_is_taken_where_the_usual_one_does_not_fit(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(64, 2))
    model = ll.wrap(encoder, latent_dim=2)
    state = {name: tensor + 1 for name, tensor in encoder.state_dict().items()}
    average = {name: tensor + 2 for name, tensor in encoder.state_dict().items()}
    both = {"model": dict(STATE), "parts": {"ema": average, "vae": state}, "model_ema": average}
    torch.save(both, tmp_path / "m.pt")
    run = import_model(model, tmp_path / "run", data="digits", weights=tmp_path / "m.pt")
    assert same(load_file(run.model_path), {f"encoder.{name}": tensor for name, tensor in state.items()})
    assert caplog.messages == [
        "latentlab: m.pt: took the weights under 'parts.vae', took no moving average (to take it: --key parts.ema, "
        "--key model_ema)"
    ]
    with pytest.raises(InputError, match=r"has a weight 0\.bias that the configured network"):
        import_model(model, tmp_path / "other", data="digits", weights=tmp_path / "m.pt", key="model")
    torch.save({**both, "second": {name: tensor + 3 for name, tensor in state.items()}}, tmp_path / "m.pt")
    with pytest.raises(InputError, match=r"several models that fit, under 'parts\.vae', 'second'"):
        import_model(model, tmp_path / "other", data="digits", weights=tmp_path / "m.pt")


def sharded(folder: Path, state: Weights, form: str = "safetensors") -> Path:
    """A state dict in two files and the index of them, as `save_pretrained` of Hugging Face writes them."""
    names = list(state)
    stem = "model" if form == "safetensors" else "pytorch_model"
    files = {name: f"{stem}-0000{1 + (place > 2)}-of-00002.{form}" for place, name in enumerate(names)}
    for file in sorted(set(files.values())):
        part = {name: state[name] for name in names if files[name] == file}
        save_file(part, folder / file) if form == "safetensors" else torch.save(part, folder / file)
    index = folder / f"{stem}.{form}.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": files}))
    return index


@pytest.mark.parametrize("form", ["safetensors", "bin"])
def test_weights_in_several_files(tmp_path: Path, form: str) -> None:
    index = sharded(tmp_path, dict(STATE), form)
    for path in (index, tmp_path):
        assert same(read_weights(path), dict(STATE))
    with pytest.raises(InputError, match="none is 'ema'"):
        read_checkpoint(index, "ema")
    with pytest.raises(InputError, match="at most"):
        read_weights(index, limit=1000 if form == "bin" else 10)
    if form == "safetensors":  # a file from before the weights were parted anew
        first = next(iter(STATE))
        path = tmp_path / "model-00002-of-00002.safetensors"
        save_file({**load_file(path), first: STATE[first] + 7}, path)
        assert same(read_weights(index), dict(STATE))
    content = json.loads(index.read_text())
    content["weight_map"]["more"] = next(iter(content["weight_map"].values()))
    index.write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"lacks more, which .* lists"):
        read_weights(index)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"weight_map": {"w": "../out.safetensors"}}, "expected names of files beside it"),
        ({"weight_map": {"w": "model.safetensors.index.json"}}, "expected names of files beside it"),
        ({"weight_map": {"w": "absent.safetensors"}}, "does not exist"),
        ({"weight_map": {}}, "has no weight_map"),
        ([], "has no weight_map"),
    ],
)
def test_an_index_names_files_beside_it_alone(tmp_path: Path, content: Any, message: str) -> None:
    save_file({"w": torch.ones(2)}, tmp_path / "out.safetensors")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "model.safetensors.index.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=message):
        read_weights(tmp_path / "in")
    with pytest.raises(MissingError, match=r"has no weights; expected one of model\.safetensors"):
        read_weights(tmp_path)


def test_a_file_of_the_other_kind_is_told_its_name(tmp_path: Path) -> None:
    for length in (40, 128, 125):  # as a header's first byte, these begin a pickle
        meta = {"x": "y" * (length + 200)}
        save_file({"w": torch.ones(2)}, tmp_path / "m.pt", metadata=meta)
        with pytest.raises(InputError, match=r"is a safetensors file; give it a name that ends in \.safetensors"):
            read_weights(tmp_path / "m.pt")
    torch.save({"w": torch.ones(2)}, tmp_path / "m.safetensors")
    with pytest.raises(InputError, match=r"as torch.save writes it; name it ….pt"):
        read_weights(tmp_path / "m.safetensors")


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float8_e4m3fn])
def test_narrow_numbers_become_float32_and_that_is_said(
    tmp_path: Path, kind: torch.dtype, caplog: pytest.LogCaptureFixture
) -> None:
    weights = build(configure(load("digits"), latent_dim=2)).state_dict()
    save_file({name: tensor.to(kind) for name, tensor in weights.items()}, tmp_path / "m.safetensors")
    run = import_run("state-dict", tmp_path / "m.safetensors", tmp_path / "run", data="digits")
    kept = load_file(run.model_path)
    assert same(kept, {name: tensor.to(kind).float() for name, tensor in weights.items()})
    assert caplog.messages == [f"latentlab: m.safetensors: converted {str(kind).removeprefix('torch.')} to float32"]


@pytest.mark.parametrize("prefix", ["", "module.", "model.net."])
def test_a_file_without_the_counters_of_batch_normalisation(prefix: str) -> None:
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    old = {prefix + name: tensor + 1 for name, tensor in STATE.items() if "num_batches" not in name}
    found = aligned(old, model, Path("m.pt"))
    assert found["1.num_batches_tracked"].dtype == torch.int64
    model.load_state_dict(found)
    assert torch.equal(model[1].running_var, OTHER["1.running_var"])


@pytest.mark.parametrize("change", [Tensor.half, lambda tensor: tensor.float() * 0.999 + 0.001])
def test_counters_that_became_fractions_are_whole_again(tmp_path: Path, change: Callable[[Tensor], Tensor]) -> None:
    state = nn.BatchNorm1d(2).state_dict()
    state["num_batches_tracked"] += 100_000  # beyond float16
    torch.save({name: change(tensor) for name, tensor in state.items()}, tmp_path / "m.pt")
    found = read_weights(tmp_path / "m.pt")
    assert found["num_batches_tracked"].dtype == torch.int64
    nn.BatchNorm1d(2).load_state_dict(found)


@pytest.mark.parametrize("prefix", ["", "module.", "lit._orig_mod."])
def test_what_belongs_to_no_part_of_the_model_is_ignored_and_said(
    tmp_path: Path, prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    model = ll.wrap(nn.Sequential(nn.Flatten(), nn.Linear(64, 2)), latent_dim=2)
    weights = {**model.state_dict(), "discriminator.0.weight": torch.ones(2), "metric.total": torch.ones(())}
    torch.save({prefix + name: tensor for name, tensor in weights.items()}, tmp_path / "m.pt")
    import_model(model, tmp_path / "run", data="digits", weights=tmp_path / "m.pt")
    start = f"removed the prefix {prefix!r}, " if prefix else ""
    assert caplog.messages == [f"latentlab: m.pt: {start}ignored the weights discriminator., metric."]
    more = {**weights, "encoder.2.weight": torch.ones(2)}  # a layer that the model does not have
    torch.save({prefix + name: tensor for name, tensor in more.items()}, tmp_path / "m.pt")
    with pytest.raises(InputError):
        import_model(model, tmp_path / "other", data="digits", weights=tmp_path / "m.pt")


NET = """
import torch
from torch import nn


class VAE(nn.Module):
    def __init__(self, d=3):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 4, 3, 2, 1), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(64, 16), nn.BatchNorm1d(16)
        )
        self.mu, self.log_var = nn.Linear(16, d), nn.Linear(16, d)
        self.out = nn.Sequential(nn.Linear(d, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 64))

    def encode(self, x):
        h = self.features(x)
        return self.mu(h), self.log_var(h)

    def decode(self, z):
        return self.out(z).view(-1, 1, 8, 8)
"""


ADAPTER = """
import latentlab as ll


def model():
    from parts.net import VAE

    vae = VAE()
    return ll.wrap(encoder=vae.encode, decoder=vae.decode, latent_dim=3, logits=True)
"""


def save_lightning(net: nn.Module, state: Weights, path: Path) -> None:
    hyper = argparse.Namespace(layer=nn.ReLU, path=Path("x"))
    optimizer = torch.optim.Adam(net.parameters()).state_dict()
    weights = {f"model._orig_mod.{name}": tensor for name, tensor in state.items()}
    content = {"state_dict": weights, "hyper_parameters": hyper, "optimizer_states": [optimizer], "loops": {}}
    torch.save(content, path.with_suffix(".ckpt"))


def save_best(net: nn.Module, state: Weights, path: Path) -> None:
    average = torch.optim.swa_utils.AveragedModel(net)
    average.update_parameters(net)
    optimizer = torch.optim.SGD(net.parameters(), 0.1, momentum=0.9).state_dict()
    content = {"best": {"vae": state}, "averaged": average.state_dict(), "opt": optimizer, "loss": 3.5}
    torch.save(content, path.with_suffix(".pth.tar"))


WAYS: dict[str, Callable[[nn.Module, Weights, Path], None]] = {
    "plain": lambda net, state, path: torch.save(state, path.with_suffix(".pt")),
    "parallel": lambda net, state, path: torch.save(nn.DataParallel(net).state_dict(), path.with_suffix(".pth")),
    "compiled": lambda net, state, path: torch.save(
        torch.compile(net, backend="eager").state_dict(), path.with_suffix(".bin")
    ),
    "lightning": save_lightning,
    "best": save_best,
    "half": lambda net, state, path: save_file(
        {name: w.half() if w.is_floating_point() else w for name, w in state.items()}, path.with_suffix(".safetensors")
    ),
    "shards": lambda net, state, path: path.mkdir() or (sharded(path, state) and None),
}


@pytest.mark.parametrize("way", list(WAYS))
def test_a_model_with_batch_normalisation_saved_in_many_ways_is_analysed(
    tmp_path: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("parts").mkdir()
    Path("parts/net.py").write_text(NET)  # a neighbour in a folder without __init__.py
    Path("own.py").write_text(ADAPTER)
    space: dict[str, Any] = {}
    exec(NET, space)
    torch.manual_seed(1)
    net = space["VAE"]()
    for _ in range(3):
        net.decode(net.encode(torch.rand(16, 1, 8, 8))[0])  # the statistics of its batches
    net.eval()
    state = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    WAYS[way](net, state, tmp_path / "w")
    (weights,) = tmp_path.glob("w*")
    before, paths = set(sys.modules), list(sys.path)
    words = ["--weights", str(weights), "--data", "digits", "--out", "run", "-q"]
    assert cli(["import", "--adapter", "own.py:model", *words]) == 0
    assert cli(["analyze", "run", "--adapter", "own.py:model", "--only", "encode,traverse", "-q"]) == 0
    assert cli(["explain", "run", "--adapter", "own.py:model", "-q"]) == 0
    assert sys.path == paths
    assert not {name for name in set(sys.modules) - before if name.partition(".")[0] == "parts"}
    kept = load_file(Run(Path("run")).model_path)
    assert {name: tensor.dtype for name, tensor in kept.items()} == {name: t.dtype for name, t in state.items()}
    x = torch.from_numpy(load("digits")[:50]).float() / 255
    with torch.inference_mode():
        expected = net.encode(x)[0].numpy()
    np.testing.assert_allclose(Run(Path("run")).codes().mean[:50], expected, atol=1e-5 if way != "half" else 1e-2)


@pytest.mark.parametrize("content", [b"garbage", b"<!DOCTYPE html>", b"\x08\x07\x12\x04", b""])
def test_what_is_no_pickle_is_not_said_to_hold_objects(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "w.pt").write_bytes(content)
    with pytest.raises(InputError, match="is truncated or not a PyTorch checkpoint"):
        read_checkpoint(tmp_path / "w.pt")


def test_a_weight_that_is_filled_in_under_its_second_name_loses_no_prefix() -> None:
    weight = torch.zeros(2)
    weights = {"f.1.weight": weight, "g.bias": torch.ones(2)}
    assert removed(weights, {**weights, "f2.weight": weight}) == ""
    assert removed({"module.f.1.weight": weight}, {"f.1.weight": weight, "f2.weight": weight}) != ""
