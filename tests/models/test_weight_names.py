"""Weights under other names: whatever wrappers and trainers put before them, the same model comes out or one line."""

import re
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

import latentlab as ll
from latentlab.errors import InputError
from latentlab.exchange.importing import import_model, import_run
from latentlab.models import build
from latentlab.models.autoencoder import fit_weights
from latentlab.models.weight_names import aligned, bare
from latentlab.runs.config import RunConfig
from latentlab.system.registry import names

Weights = dict[str, Tensor]
SEGMENTS = ["module", "_orig_mod", "model", "net", "network", "vae", "ema_model", "_fsdp_wrapped_module", "generator"]
DATA = "dsprites:size=32,grid=1x1x2x3x3"


def weights_of(network: str, seed: int = 0) -> Weights:
    torch.manual_seed(seed)
    config = {"data": "any", "rows": 1, "image_shape": (1, 32, 32), "network": network, "latent_dim": 3, "steps": 1}
    model = build(RunConfig(**config, objective={"name": "vae"}, learning_rate=1))  # type: ignore[arg-type]
    return dict(model.state_dict())


def same(one: Weights, other: Weights) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def under(weights: Weights, prefix: str) -> Weights:
    return {prefix + name: tensor for name, tensor in weights.items()}


@pytest.mark.parametrize("network", [name for name in names("models/networks") if name != "conv1d"])
@given(st.lists(st.sampled_from(SEGMENTS), min_size=1, max_size=3))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_prefix_is_taken_off(tmp_path_factory: pytest.TempPathFactory, network: str, segments: list[str]) -> None:
    weights, folder = weights_of(network), tmp_path_factory.mktemp("prefix")
    save_file(under(weights, ".".join(segments) + "."), folder / "w.safetensors")
    run = import_run("state-dict", folder / "w.safetensors", folder / "run", data=DATA)
    assert run.config.network == network
    assert same(load_file(run.model_path), weights)


@given(st.data())
@settings(max_examples=30, deadline=None)
def test_wrappers_anywhere_in_a_name(data: st.DataObject) -> None:
    weights = weights_of("mlp")
    wrapper = st.sampled_from(["module", "_orig_mod", "_checkpoint_wrapped_module"])
    around = data.draw(st.lists(wrapper, max_size=2))
    inner = {part: data.draw(st.lists(wrapper, max_size=2)) for part in ("encoder", "decoder")}
    longer = {}
    for name, tensor in weights.items():
        part, _, rest = name.partition(".")
        longer[".".join([*around, part, *inner.get(part, []), rest])] = tensor
    model = build(RunConfig(data="any", rows=1, image_shape=(1, 32, 32), network="mlp", latent_dim=3, steps=1,
                            objective={"name": "vae"}, learning_rate=1))  # fmt: skip
    found = aligned(longer, model, Path("w.pt"))
    assert same(found, weights)
    fit_weights(model, found, Path("w.pt"))


@pytest.mark.parametrize("prefixes", [("", "ema."), ("model.", "ema_model."), ("module.", "averaged.module."),
                                      ("online_model.", "ema_model."), ("net.", "net_ema.")])  # fmt: skip
def test_what_was_trained_comes_before_its_moving_average(tmp_path: Path, prefixes: tuple[str, str]) -> None:
    trained, average = weights_of("mlp", 0), weights_of("mlp", 1)
    beside = {"ema_model.initted": torch.tensor(True), "loss.discriminator.0.weight": torch.ones(3)}
    more = beside if bare(f"{prefixes[0]}x") != "x" else {}
    torch.save({**under(average, prefixes[1]), **under(trained, prefixes[0]), **more}, tmp_path / "w.pt")
    run = import_run("state-dict", tmp_path / "w.pt", tmp_path / "run", data=DATA)
    assert same(load_file(run.model_path), trained)


@pytest.mark.parametrize(
    "place",
    [
        lambda new, old: under(new, "") | under(old, "ema_model."),
        lambda new, old: under(new, "online.") | under(old, "ema.shadow.") | {"ema.decay": torch.ones(1)},
        lambda new, old: {"state_dict": under(new, "model.") | under(old, "model_ema."), "epoch": 3},
        lambda new, old: {"state_dict": new, "callbacks": {"EMA": {"ema_weights": old}}},
        lambda new, old: {"model": {"state_dict": new}, "model_ema": {"state_dict": old}},
        lambda new, old: {"vae": new, "vae_ema": old},
    ],
)  # fmt: skip
def test_a_moving_average_that_was_not_taken_is_named_with_the_option_that_takes_it(tmp_path, caplog, place) -> None:
    trained, average = weights_of("mlp", 0), weights_of("mlp", 1)
    torch.save(place(trained, average), tmp_path / "w.pt")
    run = import_run("state-dict", tmp_path / "w.pt", tmp_path / "trained", data=DATA)
    assert same(load_file(run.model_path), trained)
    (said,) = [each.getMessage() for each in caplog.records if "moving average" in each.getMessage()]
    option, value = re.search(r"to take it: --(\w+) ([\w.]+)\)", said).groups()
    caplog.clear()
    run = import_run("state-dict", tmp_path / "w.pt", tmp_path / "average", data=DATA, **{option: value})
    assert same(load_file(run.model_path), average)
    assert not any("moving average" in each.getMessage() for each in caplog.records)


def test_two_models_that_fit_are_named(tmp_path: Path) -> None:
    torch.save({**under(weights_of("mlp", 0), "a."), **under(weights_of("mlp", 1), "b.")}, tmp_path / "w.pt")
    with pytest.raises(InputError, match=r"several models that fit, under 'a\.', 'b\.'"):
        import_run("state-dict", tmp_path / "w.pt", tmp_path / "run", data=DATA)


def test_a_prefix_of_what_does_not_fit_is_named(tmp_path: Path) -> None:
    torch.save({"lit.a.weight": torch.zeros(2, 2), "lit.b.weight": torch.zeros(2)}, tmp_path / "w.pt")
    with pytest.raises(InputError, match=r"does not fit any network .*\(its names begin with lit\.\)"):
        import_run("state-dict", tmp_path / "w.pt", tmp_path / "run", data="digits")
    model = ll.wrap(nn.Sequential(nn.Flatten(), nn.Linear(64, 2)), latent_dim=2)
    with pytest.raises(InputError, match=r"lacks the weight encoder\.1\.bias; .* its names begin with lit\.") as caught:
        import_model(model, tmp_path / "run", data="digits", weights=tmp_path / "w.pt")
    assert len(str(caught.value)) <= 200 + len(str(tmp_path))


def test_a_weight_too_many_is_still_refused() -> None:
    model = nn.Sequential(nn.Linear(2, 2))
    weights = {**under(dict(model.state_dict()), "module."), "module.1.weight": torch.ones(2)}
    with pytest.raises(InputError, match="lacks the weight 0"):
        fit_weights(model, aligned(weights, model, Path("w.pt")), Path("w.pt"))


class Tied(nn.Module):
    """Encoder and decoder share one matrix."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(4, 4), nn.Linear(4, 4)
        self.second.weight = self.first.weight


@pytest.mark.parametrize("left_out", ["first.weight", "second.weight"])
@pytest.mark.parametrize("prefix", ["", "model."])
def test_a_tied_weight_may_be_saved_once(left_out: str, prefix: str) -> None:
    torch.manual_seed(0)
    model, other = Tied(), Tied()
    weights = under({name: t for name, t in model.state_dict().items() if name != left_out}, prefix)
    fit_weights(other, aligned(weights, other, Path("w.pt")), Path("w.pt"))
    assert same(dict(other.state_dict()), dict(model.state_dict()))


def test_a_model_that_is_itself_wrapped_takes_plain_names() -> None:
    plain = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    wrapped = nn.DataParallel(nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)))
    found = aligned(plain.state_dict(), wrapped, Path("w.pt"))
    assert found.keys() == wrapped.state_dict().keys()
    assert {bare(name) for name in found} == plain.state_dict().keys()


@pytest.mark.parametrize("prefix", ["", "module.", "netG.", "decoder."])
def test_the_only_part_of_a_model_need_not_be_named(prefix: str) -> None:
    torch.manual_seed(0)
    part = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 4), nn.Unflatten(1, (1, 2, 2)))
    weights = dict(part.state_dict())
    model = ll.wrap(decoder=part, latent_dim=2)
    assert same(aligned(under(weights, prefix), model, Path("w.pt")), under(weights, "decoder."))
