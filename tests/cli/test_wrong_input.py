"""Wrong input, verb by verb: one line on standard error, exit status 2, and not a file more or less than before."""

import gzip
import struct
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree, rmtree

import numpy as np
import pytest
from PIL import Image
from toy import write_run

from latentlab.cli import run

RUN = "study/beta4-seed0"


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with good and bad things in it."""
    root = tmp_path_factory.mktemp("material")
    for beta, name in ((None, "ae-seed0"), (4.0, "beta4-seed0")):
        write_run(root / "study" / name, beta, 0)
    np.save(root / "z.npy", np.random.default_rng(0).normal(size=(30, 3)))
    np.save(root / "v.npy", np.zeros((29, 2)))
    np.save(root / "nan.npy", np.full((30, 3), np.nan))
    np.save(root / "text.npy", np.array(["a"] * 30))
    np.save(root / "pickled.npy", np.array([{}], dtype=object), allow_pickle=True)
    (root / "cut.npz").write_bytes(b"PK\x03\x04 and no more")
    (root / "notes.txt").write_text("mine")
    (root / "empty").mkdir()
    (root / "idx").mkdir()
    (root / "idx" / "train-images-idx3-ubyte").write_bytes(struct.pack(">IIII", 2051, 100, 8, 8) + bytes(1000))
    (root / "idxgz").mkdir()
    (root / "idxgz" / "train-images-idx3-ubyte.gz").write_bytes(
        gzip.compress(struct.pack(">IIII", 2051, 100, 8, 8) + bytes(6400))[:40]
    )
    (root / "sizes").mkdir()
    for size in (8, 9):
        Image.fromarray(np.zeros((size, size), np.uint8)).save(root / "sizes" / f"{size}.png")
    np.savez(root / "nan.npz", images=np.full((5, 8, 8), np.nan))
    np.save(root / "toy.npy", np.zeros((5, 16, 16), np.uint8))
    (root / "bad.toml").write_text("beta = ")
    (root / "odd.toml").write_text('data = "digits"\nbeta = [1]\ncolour = "red"\n')
    cut = copytree(root / RUN, root / "cut-study" / "beta4-seed0") / "model.safetensors"
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    torn = copytree(root / RUN, root / "torn") / "codes.h5ad"
    torn.write_bytes(torn.read_bytes()[: torn.stat().st_size // 2])
    (copytree(root / RUN, root / "odd-config") / "config.json").write_text('{"format": 1}')
    return root


@pytest.fixture
def here(material: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Work in that folder, and find it as it was afterwards."""
    monkeypatch.chdir(material)
    before = listing(material)
    yield material
    after = listing(material)
    rmtree("new", ignore_errors=True)
    assert after == before, "nothing half written"


def listing(folder: Path) -> dict[str, tuple[int, int]]:
    files = (f for f in folder.rglob("*") if f.name != ".lock")
    return {str(f): (f.stat().st_size, f.stat().st_mtime_ns if f.is_file() else 0) for f in files}


TRAIN = "train --data digits --out new --steps 3"
SWEEP = "sweep --data digits --out new --steps 3 --workers 1"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        # The data
        ("train --data nowhere --out new", "nowhere does not exist; expected a file, a folder or a name"),
        ("train --data= --out new", "the argument after --data is empty"),
        ("train --data idx --out new", "idx"),
        ("train --data idxgz --out new", "idxgz"),
        ("train --data sizes --out new", "sizes"),
        ("train --data empty --out new", "empty"),
        ("train --data nan.npz --out new", "NaN"),
        ("train --data pickled.npy --out new", "pickled"),
        ("train --data notes.txt --out new", "has names but no rows"),
        ("train --data digits:size=32 --out new", "has no option 'size'"),
        ("train --data dsprites:grid=0x1x1x1x1 --out new", ""),
        ("data show nowhere", "does not exist"),
        ("data check nowhere", "does not exist"),
        ("data fetch nothing", "nothing"),
        # Settings
        (f"{TRAIN} --objective gan", "no objective is called 'gan'; known: ae"),
        (f"{TRAIN} --objective beta-vea", "did you mean"),
        (f"{TRAIN} --beta -1", "beta is -1"),
        (f"{TRAIN} --beta=-1", "beta is -1"),
        (f"{TRAIN} --beta nan", "beta is nan"),
        (f"{TRAIN} --beta four", "'--beta'"),
        (f"{TRAIN} --objective ae --beta 4", "beta is not a setting; known: none"),
        (f"{TRAIN} --sigma 2", "a Bernoulli likelihood has none"),
        (f"{TRAIN} --latent-dim 0", "latent_dim is 0"),
        (f"{TRAIN} --latent-dim 1000000000", "latent_dim is 1000000000"),
        (f"{TRAIN} --steps 0", "steps is 0"),
        (f"{TRAIN} --batch-size 0", "batch_size is 0"),
        (f"{TRAIN} --learning-rate inf", "learning_rate is inf"),
        (f"{TRAIN} --seed -1", "'--seed'"),
        (f"{TRAIN} --threads 0", "threads is 0"),
        (f"{TRAIN} --threads -2", "threads is -2"),
        (f"{TRAIN} --precision int8", "precision is 'int8'"),
        (f"{TRAIN} --device tpu", "device is 'tpu'"),
        (f"{TRAIN} --device cuda:99", "cuda:99"),
        (f"{TRAIN} --network perceptron", "no network is called 'perceptron'"),
        (f"{TRAIN} --likelihood poisson", "the likelihood poisson is not for images; choose bernoulli"),
        (f"{TRAIN} --split validation", "has no split 'validation'"),
        (f"{TRAIN} --set gamma", "expected KEY=VALUE"),
        (f"{TRAIN} --set gamma=3", "gamma is not a setting"),
        (f"train --data digits --out {RUN} --steps 3", "contains a different run"),
        ("train --data digits --out empty/../notes.txt --steps 3", "is a file"),
        # Options
        ("train --data digits", "Missing option '-o' / '--out'"),
        ("train --out new", "Missing option '--data'"),
        ("train --data", "requires an argument"),
        (f"{TRAIN} --stepz 3", "No such option"),
        (f"{TRAIN} --steps many", "'--steps'"),
        (f"{TRAIN} surplus", "surplus"),
        ("trian", "trian"),
        ("data lss", "lss"),
        ("", "no command was given"),
        # Sweeps
        ("sweep --out new", "needs --data SPEC or a study file"),
        (f"{SWEEP} --beta ae,x", "β is 'x'; expected a number"),
        (f"{SWEEP} --beta 1,,4", "β is ''"),
        (f"{SWEEP} --beta 1,-4", "beta is -4"),
        (f"{SWEEP} --seeds 0", "seeds is 0"),
        (f"{SWEEP} --workers 0", "workers is 0"),
        (f"{SWEEP} --latent-dim 2,x", "x"),
        ("sweep none.toml --out new", "none.toml does not exist"),
        ("sweep bad.toml --out new", "is not valid TOML"),
        ("sweep odd.toml --out new", "colour is not a setting"),
        (f"sweep --data digits --out {RUN}", "is a run"),
        ("sweep --data digits --out notes.txt", "is a file"),
        # Runs
        ("analyze nowhere", "nowhere does not exist"),
        ("analyze empty", "is not a study"),
        ("analyze notes.txt", "is a file"),
        ("analyze study --only encode,paint", "no stage is called 'paint'"),
        ("analyze study --metric mig,nope", "no metric is called 'nope'"),
        ("analyze study --profile nope", "no profile is called 'nope'"),
        ("analyze study --distortion some", "some"),
        ("analyze cut-study --data toy.npy --only encode", "model.safetensors cannot be read"),
        (f"analyze {RUN} --data digits --only encode", "has images 1×8×8, but"),
        ("analyze odd-config", "odd-config/config.json: data is missing"),
        ("compare nowhere", "does not exist"),
        ("compare empty", "is not a study"),
        ("compare", "Missing argument"),
        # Scores
        ("score", "needs either a run"),
        (f"score {RUN} --codes z.npy", "give one of them"),
        ("score nowhere", "does not exist"),
        ("score torn --metric mig", "torn/codes.h5ad is not a readable HDF5 file"),
        ("score torn/codes.h5ad", "is not a readable HDF5 file"),
        (f"score {RUN} --metric migg", "did you mean 'mig'?"),
        (f"score {RUN} --profile dlibb", "did you mean 'dlib'?"),
        ("score --codes none.npy", "does not exist"),
        ("score --codes notes.txt", "has names but no rows"),
        ("score --codes text.npy", "expected numbers"),
        ("score --codes pickled.npy", "pickled"),
        ("score --codes cut.npz", "not a complete .npz file"),
        ("score --codes nan.npy --factors z.npy", "codes"),
        ("score --codes z.npy --factors v.npy", "codes has 30 rows but factors has 29"),
        ("score --codes z.npy --grid 3,4", "grid 3×4 has 12 cells but codes has 30 rows"),
        ("score --codes z.npy --grid 3,x", "expected levels per factor"),
        ("score --codes z.npy --factors z.npy --grid 2,3,5", "not those of a full grid 2×3×5 in row-major order"),
        # Figures and files
        ("figure pie study -o x.pdf", "no figure is called 'pie'"),
        (f"figure kl {RUN} -o x.doc", ".doc"),
        (f"figure kl {RUN} -o x.pdf --preset nope", "nope"),
        (f"figure kl {RUN}", "Missing option"),
        (f"export {RUN} --to parquet -o x", "parquet"),
        (f"export {RUN} --to h5ad -o x.txt", "expected a name that ends in .h5ad"),
        ("export nowhere --to study -o x", "does not exist"),
        ("dashboard nowhere", "does not exist"),
        ("dashboard study --port 99999999", "'--port'"),
    ],
)
def test_one_line_and_status_2(here: Path, capsys: pytest.CaptureFixture[str], line: str, message: str) -> None:
    status = run(line.split())
    said = capsys.readouterr()
    assert status == 2, said.err
    assert said.err.count("\n") == 1, said.err
    assert said.err.startswith("latentlab: ")
    assert len(said.err) <= 201
    assert message in said.err
    assert said.out == "" or not line


def test_a_current_folder_that_was_removed_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    here = write_run(tmp_path / "study" / "beta4-seed0", 4.0, 0).path
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert run(["export", str(here), "--to", "parquet", "-o", "x.parquet", "--quiet"]) == 2
    assert capfd.readouterr().err == "latentlab: the current folder was removed; change to one that exists\n"
    monkeypatch.chdir(tmp_path)
