"""Conditions: a decoder that is told a batch leaves it out of the codes, and is asked at any level."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given as drawn
from hypothesis import strategies as st
from torch import nn

from latentlab.analysis.encode.stage import encode
from latentlab.analysis.outliers.stage import outliers
from latentlab.analysis.score.stage import score_run
from latentlab.analysis.traverse.stage import decode_run
from latentlab.cli import run as cli
from latentlab.data import Dataset, Factor, Form, condition_of, one_hot
from latentlab.errors import InputError
from latentlab.exchange.importing import import_model
from latentlab.figures import export, traversals
from latentlab.models import load_model, wrap
from latentlab.models.conditions import At, at_level, given, packed, unpacked
from latentlab.models.decoding import reconstruct
from latentlab.models.encoding import judge
from latentlab.models.live import live
from latentlab.reports.methods import methods
from latentlab.runs.config import Condition, Conditions, read_config
from latentlab.runs.run import Run
from latentlab.training.train import train

KINDS = ("counts", "table", "signal", "image")


def two_batches(kind: str, n: int = 64) -> Dataset:
    """Samples that a factor and a batch of two levels make; the second batch is shifted."""
    rng = np.random.default_rng(0)
    z, batch = rng.normal(size=n), rng.integers(0, 2, n)
    signal = np.outer(z, np.linspace(-1, 1, 36)) + 2 * batch[:, None]
    values, form = {
        "counts": (rng.poisson(np.exp(np.clip(signal, -3, 3))), Form("counts", (36,), stored="int32")),
        "table": (signal, Form("table", (36,))),
        "signal": (signal[:, None], Form("signal", (1, 36))),
        "image": (np.clip(signal * 40 + 100, 0, 255).astype(np.uint8).reshape(n, 1, 6, 6), None),
    }[kind]
    factors = np.column_stack([batch, z]).astype(float)
    specs = (Factor("batch", "categorical", ("A", "B")), Factor("z", "continuous"))
    return Dataset(kind, values.shape, lambda rows: values[rows], factors, specs, form=form)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    data = two_batches("counts", 256)
    out = tmp_path_factory.mktemp("conditions") / "run"
    run = train(data, out, beta=1, latent_dim=3, steps=300, threads=1, condition="batch")
    encode(run, data)
    decode_run(run, data)
    return run


def test_the_levels_are_by_name_and_the_usual_one_is_the_most_frequent() -> None:
    data = two_batches("table")
    found = condition_of(data, "batch")
    assert found["levels"] == ("A", "B")
    assert data.factors is not None
    assert found["usual"] == "AB"[int(data.factors[:, 0].mean() > 0.5)]
    told = one_hot(data, [Condition(**found)])
    assert (told.argmax(axis=1) == data.factors[:, 0]).all()
    assert (told.sum(axis=1) == 1).all()


@pytest.mark.parametrize(
    ("name", "message"), [("z", "continuous"), ("donor", "no column 'donor'"), ("label", "no column 'label'")]
)
def test_what_is_no_condition_is_refused(name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        condition_of(two_batches("table"), name)


def test_a_level_that_the_model_does_not_know_is_refused() -> None:
    data = two_batches("table")
    columns = (Condition(name="batch", levels=("A", "C"), usual="A"),)
    with pytest.raises(InputError, match="'B'; the model knows A, C"):
        one_hot(data, columns)


@drawn(st.integers(1, 5), st.integers(1, 4), st.integers(1, 3))
def test_packing_is_undone(n: int, first: int, width: int) -> None:
    class Model:
        latent_dim, form = 2, Form("table", (first,))

    levels = tuple(map(str, range(width + 1)))
    conditions = Conditions(columns=(Condition(name="b", levels=levels, usual="0"),))
    x, told = torch.randn(n, first), torch.eye(width + 1)[torch.randint(width + 1, (n,))]
    model, back = unpacked(Model(), conditions, packed(x, told))
    assert torch.equal(back, x)
    assert torch.equal(model.told, told)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("encoder", [False, True])
def test_every_kind_is_told_its_conditions(kind: str, encoder: bool, tmp_path: Path) -> None:
    data = two_batches(kind)
    made = train(data, tmp_path / "run", steps=3, latent_dim=2, threads=1, condition="batch", condition_encoder=encoder)
    model = load_model(made)
    assert isinstance(model, At)
    assert judge(model, data, workers=1).mean.shape == (64, 2)
    a, b = (at_level(model, made.config.conditions, {"batch": level}).decode(torch.zeros(1, 2)).mean for level in "AB")
    assert a.shape[1:] == data.form.shape
    assert not torch.equal(a, b)


def test_draws_of_rows_meet_their_own_condition(run: Run) -> None:
    model = load_model(run)
    told = torch.eye(2)[[0, 1, 1]]
    z = torch.randn(4, 3, 3)
    with torch.no_grad():
        together = given(model, told).decode(z.flatten(0, 1)).mean.unflatten(0, (4, 3))
        alone = given(model, told[1:2]).decode(z[:, 1]).mean
    torch.testing.assert_close(together[:, 1], alone)
    with pytest.raises(InputError, match="3 conditions"):
        given(model, told).decode(z[0, :2])


def test_codes_leave_out_what_the_decoder_is_told(run: Run) -> None:
    codes = run.codes()
    assert codes.factors is not None
    known = np.abs(np.corrcoef(codes.mean.T, codes.factors.T)[:3, 3:]).max(axis=0)
    assert known[0] < 0.35, "batch"
    assert known[1] > 0.8, "z"


def test_codes_are_scored_against_the_other_factors(run: Run) -> None:
    found = score_run(run, metrics=["mig"], resamples=0)
    assert list(found.scores["mig"].per_factor or {}) == ["z"]


def test_traversals_are_decoded_at_the_chosen_level_and_say_so(run: Run, tmp_path: Path) -> None:
    usual = run.config.conditions.columns[0].usual  # type: ignore[union-attr]
    other = "AB".replace(usual, "")
    assert f"decoded at batch = {usual}" in traversals(run).layout.meta["alt"]
    found = traversals(run, model=live(run).at({"batch": other}))
    assert f"decoded at batch = {other}" in found.layout.meta["alt"]
    out = tmp_path / "t.txt"
    assert cli(["figure", "traversals", str(run.path), "-o", str(out), "--condition", f"batch={other}", "--quiet"]) == 0
    assert f"batch = {other}" in out.read_text()
    export("traversals", run, tmp_path / "u.txt")
    assert f"batch = {usual}" in (tmp_path / "u.txt").read_text()
    for wrong in ("batch=C", "donor=A", "batch"):
        assert cli(["figure", "traversals", str(run.path), "-o", str(out), "--condition", wrong]) == 2


def test_reconstructions_are_told_each_rows_own(run: Run) -> None:
    """A row of the other batch has other totals of its features; its reconstruction follows them."""
    part = run.decodings()["reconstructions"]
    rows = np.searchsorted(run.codes().row_ids, part.settings["rows"])
    batch = run.codes().factors[rows, 0]  # type: ignore[index]
    shares = part.images / part.images.sum(axis=1, keepdims=True)
    own = part.originals / np.maximum(part.originals.sum(axis=1, keepdims=True), 1)  # type: ignore[operator,union-attr]
    assert len(np.unique(batch)) == 2
    assert np.corrcoef(shares.ravel(), own.ravel())[0, 1] > 0.5


def test_the_methods_paragraph_says_what_was_conditioned_on(run: Run) -> None:
    assert "conditioned on batch (2 levels), given to the decoder" in methods(run).text


def test_the_configuration_says_nothing_of_conditions_where_there_are_none(run: Run, tmp_path: Path) -> None:
    plain = train(two_batches("table"), tmp_path / "run", steps=1, latent_dim=2, threads=1)
    assert "conditions" not in plain.config.model_dump(mode="json")
    assert read_config(run.path / "config.json").conditions == run.config.conditions
    assert not isinstance(load_model(plain), At)
    with pytest.raises(InputError, match="trained without conditions"):
        at_level(load_model(plain), None, {"batch": "A"})


def test_an_interrupted_run_is_continued_and_another_condition_is_another_run(tmp_path: Path) -> None:
    data = two_batches("table")
    options = {"latent_dim": 2, "threads": 1, "steps": 4}
    train(data, tmp_path / "run", condition="batch", **options)
    assert train(data, tmp_path / "run", condition=["batch"], **options).state == "finished"
    with pytest.raises(InputError, match="conditions"):
        train(data, tmp_path / "run", **options)
    with pytest.raises(InputError, match="needs a condition"):
        train(data, tmp_path / "other", condition_encoder=True, **options)


def test_a_wrapped_model_takes_the_condition_after_the_code(tmp_path: Path) -> None:
    class Decoder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(4, 36)

        def forward(self, z: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
            assert condition.shape == (len(z), 2)
            return self.layer(torch.cat([z, condition], dim=1)).unflatten(1, (1, 6, 6)).sigmoid()

    data = two_batches("image")
    model = wrap(nn.Sequential(nn.Flatten(), nn.Linear(36, 2)), Decoder(), latent_dim=2)
    run = import_model(model, tmp_path / "run", data=data, condition=["batch"])
    assert run.config.conditions is not None
    encode(run, data, adapter=model)
    decode_run(run, data, adapter=model)
    shown = {level: live(run, model).at({"batch": level}).decode(run.codes().mean[:1]) for level in "AB"}
    assert (shown["A"] != shown["B"]).any()
    with pytest.raises(InputError, match="column of the data"):
        import_model(wrap(decoder=Decoder(), latent_dim=2), tmp_path / "other", condition=["batch"])


def test_every_question_is_asked_of_a_model_with_conditions(run: Run) -> None:
    data = two_batches("counts", 256)
    rows = np.arange(9)[::-1]
    parts = reconstruct(load_model(run), run.codes(), data, rows)
    alone = reconstruct(load_model(run), run.codes(), data, rows.copy())
    assert np.array_equal(parts.images, alone.images)
    found = outliers(run, against=two_batches("counts", 300), data=data, rows=40)
    assert found["constant_samples"]["mean"]
