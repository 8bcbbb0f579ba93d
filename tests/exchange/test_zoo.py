"""Published checkpoints: what the list says of them, and downloads of them, served from loopback."""

import functools
import hashlib
import http.server
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import latentlab as ll
from latentlab.cli import run as cli
from latentlab.data import Remote
from latentlab.errors import InputError, LatentlabError
from latentlab.exchange import zoo
from latentlab.exchange.importers._foreign import expected_shapes
from latentlab.exchange.importers.disvae import GENERATOR
from latentlab.exchange.importing import import_run
from latentlab.runs.run import Run
from latentlab.system.registry import names

SPECS = {"img_size": [1, 32, 32], "latent_dim": 2, "loss": "betaH", "betaH_B": 4, "dataset": "dsprites"}
ENCODER = ["conv1", "conv2", "conv3", "lin1", "lin2"]
LAYERS = [
    *(f"encoder.{name}" for name in ENCODER),
    GENERATOR,
    *(f"decoder.{n}" for n in ("lin1", "lin2", "lin3", "convT1", "convT2", "convT3")),
]


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A file server that says nothing and counts what it is asked for."""

    asked: list[str]

    def log_message(self, *_: object) -> None: ...

    def do_GET(self) -> None:
        Quiet.asked.append(self.path)
        super().do_GET()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a server of one small checkpoint, which is in the list as ``betaH_dsprites``."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "site" / "results" / "betaH_dsprites"
    folder.mkdir(parents=True)
    (folder / "specs.json").write_text(json.dumps(SPECS))
    shapes = expected_shapes({"network": "burgess", "image_shape": (1, 32, 32), "latent_dim": 2, "data": "dsprites"})
    keys = [f"{layer}.{kind}" for layer in LAYERS for kind in ("weight", "bias")]
    torch.manual_seed(0)
    weights = {key: torch.randn(shape) / 30 for key, shape in zip(keys, shapes.values(), strict=True)}
    torch.save(weights, folder / "model.pt")
    Quiet.asked = []
    serve = functools.partial(Quiet, directory=str(tmp_path / "site"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), serve) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}/results/betaH_dsprites"
        files = tuple(
            Remote(f.name, 1 << 23, "sha256", hashlib.sha256(f.read_bytes()).hexdigest())
            for f in (folder / "specs.json", folder / "model.pt")
        )
        monkeypatch.setitem(
            zoo.published(), "betaH_dsprites", replace(zoo.choose("betaH_dsprites"), address=address, files=files)
        )
        yield address
        server.shutdown()
        thread.join()


def unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the checksum of the weights out of the list."""
    entry = zoo.choose("betaH_dsprites")
    files = (entry.files[0], entry.files[1]._replace(digest=""))
    monkeypatch.setitem(zoo.published(), entry.name, replace(entry, files=files))


def test_the_list_is_complete_and_each_address_names_a_commit() -> None:
    entries = zoo.published()
    assert {f"{o}_{d}" for o in ("VAE", "betaH", "betaB", "btcvae", "factor")
            for d in ("mnist", "dsprites", "chairs", "celeba")} <= entries.keys()  # fmt: skip
    assert len(entries) == 26
    for name, entry in entries.items():
        assert re.fullmatch(
            rf"https://raw\.githubusercontent\.com/YannDubs/[\w-]+/[0-9a-f]{{40}}/results/{name}", entry.address
        )
        assert entry.format.replace("-", "_") in names("exchange/importers")
        assert entry.licence == "MIT"
        assert all(file.size > 0 and re.fullmatch(r"([0-9a-f]{64})?", file.digest) for file in entry.files)
    assert [name for name, entry in entries.items() if entry.verified] == ["VAE_dsprites", "betaH_dsprites"]


@pytest.mark.shared
@pytest.mark.parametrize("name", ["VAE_dsprites", "betaH_dsprites"])
def test_the_checksums_are_those_of_the_files(shared: Path, name: str) -> None:
    for file in zoo.choose(name).files:
        content = (shared / "reference" / "foreign" / name / file.name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == file.digest
        assert len(content) <= file.size


def test_it_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli(["zoo", "ls"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 27
    (line,) = (line for line in lines if line.startswith("betaH_dsprites "))
    assert all(
        word in line for word in ("disvae", "MIT", "https://raw.githubusercontent.com/YannDubs/", "44ba28f86d77…")
    )
    assert cli(["zoo", "ls", "--json"]) == 0
    found = {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)["checkpoints"]}
    assert found["factor_celeba"]["sha256"] == {"specs.json": None, "model.pt": None}


def test_it_is_fetched_and_imported_by_name(site: str, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("zoo:betaH_dsprites", "zoo:betah-dsprites"):
        assert cli(["import", "disvae", name, "--out", "run", "--data", "dsprites:size=32,grid=1x1x2x3x3"]) == 0
    assert Run(Path("run")).config.label == "β = 4"
    assert [path.name for path in sorted(Path("zoo/betaH_dsprites").iterdir())] == ["model.pt", "specs.json"]
    assert len(Quiet.asked) == 2  # the second time, they were there
    assert cli(["analyze", "run", "--only", "encode,traverse", "-q"]) == 0
    Path("zoo/betaH_dsprites/model.pt").write_bytes(b"damaged")
    assert import_run("disvae", "zoo:betaH_dsprites", "run", data=ll.data.load("dsprites:size=32,grid=1x1x2x3x3")).has(
        "encode"
    )
    capsys.readouterr()
    assert cli(["zoo", "fetch", "betaH_dsprites", "-q"]) == 0
    told = (
        "zoo/betaH_dsprites contains betaH_dsprites; import it: latentlab import disvae zoo/betaH_dsprites --out RUN\n"
    )
    assert capsys.readouterr().out == told


def test_what_is_not_known_beforehand_is_said_to_be_unverified(
    site: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    unknown(monkeypatch)
    assert cli(["zoo", "fetch", "betaH_dsprites", "--out", "here", "-q"]) == 0
    digest = hashlib.sha256(Path("here/model.pt").read_bytes()).hexdigest()
    first, second = capsys.readouterr().out.splitlines()
    assert first == f"here/model.pt is unverified: no checksum of it is known; its SHA-256 is {digest}"
    assert second.startswith("here contains betaH_dsprites")


def test_another_file_than_was_published_is_refused(
    site: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "site" / "results" / "betaH_dsprites" / "model.pt").write_bytes(b"another")
    with pytest.raises(LatentlabError, match="sent 7 bytes of another sha256"):
        zoo.fetch("betaH_dsprites", "here")
    assert not Path("here/model.pt").exists()
    assert cli(["import", "disvae", "zoo:betaH_dsprites", "--out", "run"]) == 1
    assert not Path("run").exists()


def test_more_than_the_most_bytes_is_refused(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    unknown(monkeypatch)
    entry = zoo.choose("betaH_dsprites")
    files = tuple(file._replace(size=100, digest="") for file in entry.files)
    monkeypatch.setitem(zoo.published(), entry.name, replace(entry, files=files))
    with pytest.raises(LatentlabError, match="sends more than the 100 bytes expected"):
        zoo.fetch("betaH_dsprites", "here")


def test_without_a_network_it_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(LatentlabError, match="cannot be reached"):
        zoo.fetch("VAE_mnist", "here", address="http://127.0.0.1:1/")
    with pytest.raises(InputError, match="is not a web address"):
        zoo.fetch("VAE_mnist", "here", address="file:///etc")
    assert cli(["zoo", "fetch", "betaH_dsprit"]) == 2
    assert "no published checkpoint is called 'betaH_dsprit'; did you mean betaH_dsprites" in capsys.readouterr().err
    assert cli(["import", "pythae", "zoo:VAE_mnist", "--out", "run"]) == 2
    assert "VAE_mnist is a checkpoint of disvae; import it: latentlab import disvae" in capsys.readouterr().err
