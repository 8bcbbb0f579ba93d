"""From codes to images: a traversal changes one latent dimension and nothing else."""

from pathlib import Path
from shutil import copytree

import numpy as np
import pytest
import torch

from latentlab.analysis.encode.stage import encode
from latentlab.analysis.traverse.stage import decode_run
from latentlab.data import Dataset
from latentlab.errors import InputError, MissingError
from latentlab.models import load_model
from latentlab.models.decoding import decode, reconstruct, traverse, typical_row
from latentlab.runs.run import Run
from latentlab.training.train import train

D, STEPS = 3, 7


@pytest.fixture(scope="module")
def data() -> Dataset:
    images = np.random.default_rng(0).integers(0, 256, (120, 1, 4, 4)).astype(np.uint8)
    ids = np.arange(120, dtype=np.int64) * 3
    return Dataset("noise", images.shape, lambda rows: images[rows], row_ids=ids)


@pytest.fixture(scope="module")
def encoded(data: Dataset, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("encoded")
    found = {}
    for name in ("vae", "ae"):
        run = train(data, root / name, objective=name, latent_dim=D, steps=10, threads=1)
        encode(run, data)
        found[name] = run.path
    return found


@pytest.fixture
def vae(encoded: dict[str, Path], tmp_path: Path) -> Run:
    return Run(copytree(encoded["vae"], tmp_path / "vae"))


@pytest.mark.parametrize("over", ["prior", "aggregate"])
def test_a_traversal_changes_exactly_one_dimension(vae: Run, data: Dataset, over: str) -> None:
    codes = vae.codes()
    found = traverse(load_model(vae), codes, 17, over=over, steps=STEPS, images=data)
    assert found.images.shape == (D, STEPS, 1, 4, 4)
    assert found.codes.shape == (D, STEPS, D)
    for j in range(D):
        others = np.delete(found.codes[j], j, axis=1)
        np.testing.assert_array_equal(others, np.tile(np.delete(codes.mean[17], j), (STEPS, 1)))
        values = found.codes[j, :, j]
        ends = (-2, 2) if over == "prior" else np.quantile(codes.mean[:, j], (0.025, 0.975))
        np.testing.assert_allclose(values, np.linspace(*ends, STEPS), rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(found.settings["values"][j], values)
    assert found.settings["anchor_row"] == 51
    assert found.settings["anchor_position"] == 17
    np.testing.assert_array_equal(found.originals, data[17])


def test_images_are_the_means_of_the_likelihood(vae: Run) -> None:
    model, codes = load_model(vae), vae.codes().mean
    with torch.inference_mode():
        expected = model.decode(torch.from_numpy(codes)).mean
    found = decode(model, codes)
    assert found.dtype == np.uint8
    assert np.abs(found / 255 - expected.numpy()).max() <= 0.5 / 255 + 1e-5
    np.testing.assert_array_equal(decode(model, codes.reshape(4, 30, D)).reshape(found.shape), found)


def test_values_beyond_black_and_white_are_cut() -> None:
    class Bright:
        latent_dim = 1

        def decode(self, z: torch.Tensor) -> torch.distributions.Normal:
            return torch.distributions.Normal(z[:, :, None, None], 1.0)

    found = decode(Bright(), np.array([[-3.0], [0.5], [7.0]], np.float32))  # type: ignore[arg-type]
    assert found.ravel().tolist() == [0, 128, 255]


def test_reconstructions_stand_beside_their_originals(vae: Run, data: Dataset) -> None:
    model, codes, rows = load_model(vae), vae.codes(), np.array([5, 2, 9])
    found = reconstruct(model, codes, data, rows)
    np.testing.assert_array_equal(found.images, decode(model, codes.mean[rows]))
    np.testing.assert_array_equal(found.originals, data[rows])
    assert found.settings["rows"] == [15, 6, 27]


def test_a_run_keeps_what_was_decoded_and_does_it_once(vae: Run, data: Dataset) -> None:
    made = decode_run(vae, data)
    assert set(made) == {"traversals-prior", "traversals-aggregate", "reconstructions"}
    assert len(made["reconstructions"].images) == 32
    before = vae.decodings_path.stat().st_mtime_ns
    kept = decode_run(vae, data)
    assert vae.decodings_path.stat().st_mtime_ns == before
    for name, part in made.items():
        np.testing.assert_array_equal(kept[name].images, part.images)
    anchored = decode_run(vae, data, anchor=6)
    assert vae.decodings_path.stat().st_mtime_ns != before
    assert anchored["traversals-prior"].settings["anchor_position"] == 2
    encode(vae, data, seed=5)
    decode_run(vae, data, anchor=6)
    vae.decodings_path.write_bytes(b"damaged")
    decode_run(vae, data, anchor=6)
    assert set(vae.decodings()) == set(made)


def test_an_autoencoder_has_no_prior_to_traverse(encoded: dict[str, Path], data: Dataset, tmp_path: Path) -> None:
    run = Run(copytree(encoded["ae"], tmp_path / "ae"))
    assert set(decode_run(run, data)) == {"traversals-aggregate", "reconstructions"}


def test_the_typical_row_is_in_the_middle(vae: Run) -> None:
    codes = vae.codes().take(slice(0, 5))
    codes.mean[:] = [[0, 0, 9], [1, 10, 9], [2, 20, 9], [3, 30, 9], [40, 40, 9]]
    assert typical_row(codes) == 2


def test_what_is_refused(vae: Run, data: Dataset) -> None:
    with pytest.raises(InputError, match="no row has the id 7; ids go from 0 to 357"):
        decode_run(vae, data, anchor=7)
    with pytest.raises(InputError, match="anchor is row 120, but there are rows 0 to 119"):
        traverse(load_model(vae), vae.codes(), 120)
    with pytest.raises(InputError, match="made from different images than those of noise; encode this data first"):
        decode_run(vae, data.take(slice(0, 60)))
    assert not vae.decodings_path.exists()
    vae.codes_path.unlink()
    with pytest.raises(MissingError, match="--only encode"):
        decode_run(vae, data)
