"""What the page decodes is what Python decodes, for every network; what it cannot decode is said."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from latentlab.browser.decoder import frames, network
from latentlab.browser.scripts import script
from latentlab.codes.codes import Codes
from latentlab.data.kinds import Form, image_form
from latentlab.errors import InputError

ROWS, D = 40, 3
READ = "window.read = async (description, codes) => { const decoder = await loadDecoder(description);"
READ += " return codes.map((code) => { const { width, height, data } = decoder.decode(code);"
READ += " return [height, width, Array.from(data)]; }); };"


def codes(d: int = D) -> Codes:
    mean = np.random.default_rng(0).normal(size=(ROWS, d)).astype(np.float32)
    return Codes(mean, np.full_like(mean, 0.1))


def model_of(name: str, form: Form, likelihood: str = "bernoulli") -> Any:
    import torch

    from latentlab.models.autoencoder import Autoencoder
    from latentlab.models.likelihoods import LIKELIHOODS
    from latentlab.system.registry import load

    torch.manual_seed(0)
    decoder = load("models/networks", name).decoder(D, form.shape)
    for each in decoder.parameters():  # also those that begin as zeros
        each.data += 0.05 * torch.randn_like(each)
    return Autoencoder(torch.nn.Identity(), decoder, LIKELIHOODS[likelihood](form, 1.0), D, form).eval()


@pytest.fixture(scope="module")
def page(chromium: Any) -> Any:
    """A page with ``read(description, codes)``: the pixels, RGBA, of each code."""
    opened = chromium.new_page()
    opened.set_content(f"<script type=module>{script('decoder.js')}\n{READ}</script>")
    opened.wait_for_function("typeof window.read === 'function'")
    yield opened
    opened.close()


def pixels(page: Any, description: dict[str, Any], points: Any) -> list[np.ndarray]:
    """Pictures (h, w, 3) of codes, as the page decodes them."""
    told = json.loads(json.dumps(description))
    read = page.evaluate("([description, codes]) => read(description, codes)", [told, np.asarray(points).tolist()])
    return [np.asarray(data, int).reshape(height, width, 4)[..., :3] for height, width, data in read]


@pytest.mark.browser
@pytest.mark.parametrize(
    ("name", "shape", "likelihood"),
    [
        ("mlp", (1, 8, 8), "bernoulli"),
        ("shallow", (3, 5, 7), "bernoulli"),
        ("linear", (2, 8, 8), "gaussian"),
        ("burgess", (1, 16, 16), "bernoulli"),
        ("burgess", (3, 24, 16), "gaussian-sigmoid"),
        ("resnet", (3, 12, 10), "bernoulli"),
        ("resnet", (1, 9, 5), "bernoulli"),
    ],
)
def test_a_pixel_of_the_page_is_within_one_level_of_pythons(
    page: Any, name: str, shape: tuple[int, ...], likelihood: str
) -> None:
    from latentlab.models.decoding import decode

    form, known = image_form(shape), codes()
    model = model_of(name, form, likelihood)
    points = np.concatenate([known.mean[:3], 3 * known.mean[3:5]])
    wanted = form.picture(decode(model, points))
    assert wanted.std(axis=0).max() > 2, "the pictures differ"
    found = pixels(page, network(model, form, known), points)
    for one, other in zip(found, wanted, strict=True):
        drawn = np.broadcast_to(other.transpose(1, 2, 0).astype(int), one.shape)
        assert np.abs(one - drawn).max() <= 1


@pytest.mark.browser
def test_layers_of_other_makers_and_conditions_are_decoded(page: Any) -> None:
    import torch
    from torch import nn

    from latentlab.models.autoencoder import Autoencoder
    from latentlab.models.conditions import At
    from latentlab.models.decoding import decode
    from latentlab.models.likelihoods import BernoulliLikelihood
    from latentlab.runs.config import Conditions

    torch.manual_seed(1)
    decoder = nn.Sequential(
        nn.Linear(D + 2, 32),
        nn.BatchNorm1d(32),
        nn.LeakyReLU(0.2),
        nn.Dropout(0.5),
        nn.Unflatten(1, (8, 2, 2)),
        nn.ConvTranspose2d(8, 6, 3, stride=2, padding=1, output_padding=1, bias=False),
        nn.BatchNorm2d(6),
        nn.Tanh(),
        nn.Sequential(nn.Identity(), nn.Conv2d(6, 5, 3, stride=2, padding=1)),
        nn.GroupNorm(1, 5),
        nn.Upsample((5, 3)),
        nn.Conv2d(5, 1, (2, 1)),
        nn.Sigmoid(),
    )
    for layer in decoder:
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            layer.running_mean.uniform_(-1, 1)
            layer.running_var.uniform_(0.5, 2)
    form, known = image_form((1, 4, 3)), codes()
    told = {"columns": [{"name": "batch", "levels": ["A", "B"], "usual": "B"}], "encoder": False}
    model = Autoencoder(nn.Identity(), decoder, BernoulliLikelihood(), D, form).eval()
    at_b = At(model, Conditions(**told), torch.tensor([[0.0, 1.0]]))
    found = pixels(page, network(at_b, form, known), known.mean[:4])
    for one, other in zip(found, form.picture(decode(at_b, known.mean[:4])), strict=True):
        assert np.abs(one[..., 0] - other[0].astype(int)).max() <= 1


@pytest.mark.browser
def test_a_frame_is_that_of_the_dimension_moved_farthest(page: Any) -> None:
    form, known = image_form((1, 1, 2)), codes(2)

    def decode(points: Any) -> Any:
        return np.clip(128 + 20 * np.asarray(points)[..., None, None, :], 0, 255).astype(np.uint8)

    code = np.array([1.0, -1.0], np.float32)
    told = frames(decode, form, known, code, [1, 0])
    start, moved = pixels(page, told, [code, [1.0, 2.0]])
    assert start[0, :, 0].tolist() == [148, 108]
    assert moved[0, :, 0].tolist() == [148, 168]


@pytest.mark.parametrize(
    ("form", "decoder", "told"),
    [
        (image_form((1, 2, 2)), "Softmax", "layer Softmax; a browser runs Linear"),
        (image_form((1, 2, 2)), "grouped", "groups, dilation"),
        (Form("table", (4,)), "", "a browser decodes images"),
    ],
)
def test_what_a_page_does_not_know_is_refused_by_name(form: Form, decoder: str, told: str) -> None:
    from torch import nn

    model = model_of("linear", form, "gaussian")
    if decoder:
        grouped = [nn.Unflatten(1, (4, 1, 1)), nn.ConvTranspose2d(4, 4, 2, groups=2)]
        more = grouped if decoder == "grouped" else [nn.Softmax(dim=1), nn.Unflatten(1, form.shape)]
        model.decoder = nn.Sequential(nn.Linear(D, 4), *more)
    with pytest.raises(InputError, match=told):
        network(model, form, codes())


def test_weights_are_halved_only_where_no_pixel_shows_it() -> None:
    form, model = image_form((1, 2, 2)), model_of("linear", image_form((1, 2, 2)))
    assert network(model, form, codes())["half"]
    near_one = Codes(1 + 1e-4 * codes().mean, np.full((ROWS, D), 0.1, np.float32))
    model.decoder[0].weight.data[:, 0], model.decoder[0].weight.data[:, 1] = 1000.3, -1000.1  # 16 bits tell 0.5 apart
    assert not network(model, form, near_one)["half"]
