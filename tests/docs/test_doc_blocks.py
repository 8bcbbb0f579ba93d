"""Every block of README and docs runs, in order, in one folder, as a reader would run it; what learns is cut short.

What is not run is read by the command line's own parser: the verbs that serve or take minutes, and those that need a
cluster, a batch system or a GPU, which have tests of their own.
"""

import re
import shlex
import shutil
import zipfile
from collections.abc import Iterator
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import ROOT
from PIL import Image
from sklearn.datasets import load_digits
from torch import nn
from typer.exceptions import TyperException
from typer.main import get_command

import latentlab as ll
from latentlab.cli import build, run

BLOCK = re.compile(r"^```(\w*)(?: [^\n]*)?\n(.*?)^```", re.DOTALL | re.MULTILINE)
INLINE = re.compile(r"`(latentlab [^`]*)`")
STEPS, SMALL = "20", "dsprites:grid=3x2x4x4x4"
# What a block of commands may hold beside latentlab; each is somebody else's program, or starts what another test does.
OTHERS = {"#!/bin/bash", "PART=$SLURM_ARRAY_TASK_ID/8", "LATENTLAB_RELIABILITY=1", "dask", "embedding-atlas", "pip",
          "jupyter", "python", "python3", "tensorboard"}  # fmt: skip
SERVED = {"dashboard", "demo"}
ELSEWHERE = ("--cluster", "--shard", "--device", "torchrun", "$")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: Path) -> Iterator[tuple[str, str]]:
    """Language and text of the blocks that can be run: Python, and commands whatever they are marked as."""
    for language, text in BLOCK.findall(page.read_text(encoding="utf-8")):
        if language in ("python", "bash", "console") or text.startswith("latentlab "):
            yield language, text


def commands(text: str) -> Iterator[list[str]]:
    """The words of every command, without comments; `a && b` and `python -m latentlab` are commands of their own."""
    for line in text.splitlines():
        for part in re.split(r"&&|(?<=\S) & *$", line):
            words = shlex.split(part, comments=not part.startswith("#!"))
            if words:
                words = words[words.index("latentlab") :] if "torchrun" in words else words
                yield [words[0].removeprefix(".venv/bin/"), *words[1:]]


RUN = [page for page in PAGES if any(True for _ in blocks(page))]


def name(page: Path) -> str:
    return str(page.relative_to(ROOT).with_suffix(""))


# Read


def parse(words: list[str]) -> None:
    """Let the command line take the words apart, and run nothing."""
    command: Any = get_command(build())
    context = None
    while hasattr(command, "commands"):
        assert words, "a verb is missing"
        assert words[0] in command.commands, f"no command is called {words[0]}"
        context = command.make_context("latentlab", [], parent=context, resilient_parsing=True)
        command, words = command.commands[words[0]], words[1:]
    command.make_context(command.name, list(words), parent=context)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_its_commands_are_those_of_the_command_line(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for _, block in ((kind, block) for kind, block in blocks(page) if kind != "python"):
        for words in commands(block):
            assert words[0] == "latentlab" or words[0] in OTHERS, words
            if words[0] == "latentlab":
                parse(words[1:])
    added = set(re.findall(r'title="latentlab/cli/(\w+)\.py"', text))  # commands that the page itself writes
    for command in INLINE.findall(text):
        words = shlex.split(command)[1:]
        if words[0] in added:
            continue
        known: Any = get_command(build())
        while hasattr(known, "commands") and words[0] not in ("COMMAND", "--help"):
            assert words[0] in known.commands, command
            known = known.commands[words.pop(0)]
        options = {option for each in known.params for option in (*each.opts, *each.secondary_opts)}
        assert {word for word in words if word.startswith("--")} <= options | {"--help"}, command


def test_a_command_that_is_wrong_is_found() -> None:
    for wrong in (["trian"], ["train", "--stepz", "3"], ["train", "--data", "digits", "--out", "x", "--steps", "many"]):
        with pytest.raises((AssertionError, TyperException)):
            parse(wrong)


# Run


def idx(folder: Path, images: np.ndarray, labels: np.ndarray) -> None:
    """Four IDX files as MNIST has them: three quarters to train on."""
    folder.mkdir()
    for part, rows in (("train", slice(None, 3 * len(images) // 4)), ("t10k", slice(3 * len(images) // 4, None))):
        for what, array in (("images-idx3", images[rows]), ("labels-idx1", labels[rows])):
            head = np.array([2048 + array.ndim, *array.shape], ">u4").tobytes()
            (folder / f"{part}-{what}-ubyte").write_bytes(head + array.astype(np.uint8).tobytes())


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What pages name and do not make: small data of the same layout, and studies of a few steps on them."""
    root = tmp_path_factory.mktemp("material")
    found = load_digits()
    images = np.pad(np.kron(found.images[:400], np.ones((3, 3))) * 255 / 16, ((0, 0), (2, 2), (2, 2))).astype(np.uint8)
    idx(root / "mnist", images, found.target[:400])
    idx(root / "notmnist", np.rot90(images, axes=(1, 2)), found.target[:400])
    with zipfile.ZipFile(root / "strokes.zip", "w") as archive:
        for row, image in enumerate(images[:80]):
            Image.fromarray(image).resize((20, 20)).save(picture := BytesIO(), "png")
            archive.writestr(f"{row}.png", picture.getvalue())
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        options: dict[str, Any] = {"latent_dim": 3, "steps": 20, "workers": 1, "threads": 1}
        for data, out in (("digits", "artifacts/digits"), ("mnist/", "artifacts/mnist")):
            for each in ll.sweep(data, out, beta=["ae", 1, 4], **options):
                ll.analyze(each, only=["encode", "traverse"])
        ll.train("strokes.zip:size=28", "artifacts/strokes", steps=20, latent_dim=3, threads=1)
        for shipped in ("dsprites", "scenes", "mini", "digits-2d"):
            (root / "artifacts" / shipped).symlink_to(ROOT / "artifacts" / shipped)
    checkpoints(root)
    np.save(root / "v.npy", found.target[:400, None])
    np.save(root / "z.npy", np.random.default_rng(0).normal(size=(400, 3)))
    return root


def checkpoints(root: Path) -> None:
    """What the page on models imports: checkpoints of disvae and pythae, of a network of ours, of its own file."""
    disvae, pythae = root / "results" / "betaH_dsprites", root / "my_model" / "VAE_training_2026" / "final_model"
    for folder in (disvae, pythae):
        folder.mkdir(parents=True)
    sides = [(1, 32), *[(32, 32)] * 3]
    layers: dict[str, nn.Module] = {
        f"encoder.conv{n}": nn.Conv2d(a, b, 4) for n, (a, b) in zip(("1", "2", "3", "_64"), sides, strict=True)
    }
    layers |= {f"decoder.convT{n}": nn.ConvTranspose2d(b, a, 4) for n, (a, b) in zip("321", sides, strict=False)}
    layers |= {"decoder.convT_64": nn.ConvTranspose2d(32, 32, 4), "encoder.mu_logvar_gen": nn.Linear(256, 20)}
    for part, (lin1, lin3) in {"encoder": (512, 0), "decoder": (10, 512)}.items():
        layers |= {f"{part}.lin1": nn.Linear(lin1, 256), f"{part}.lin2": nn.Linear(256, 256)}
        layers |= {f"{part}.lin3": nn.Linear(256, lin3)} if lin3 else {}
    save(layers, disvae / "model.pt")
    (disvae / "specs.json").write_text('{"img_size": [1, 64, 64], "latent_dim": 10, "model_type": "Burgess"}')
    heads = {"encoder.embedding": nn.Linear(512, 5), "encoder.log_var": nn.Linear(512, 5)}
    whole = {"encoder.layers.0.0": nn.Linear(784, 512), **heads, "decoder.layers.0.0": nn.Linear(5, 512)}
    save({**whole, "decoder.layers.1.0": nn.Linear(512, 784)}, pythae / "model.pt")
    (pythae / "model_config.json").write_text('{"name": "VAEConfig", "input_dim": [1, 28, 28], "latent_dim": 5}')
    save({"encoder.1": nn.Linear(64, 4), "decoder.0": nn.Linear(4, 64)}, root / "weights.pt")
    shutil.copy(root / "artifacts" / "digits" / "beta1-seed0" / "model.safetensors", root / "weights.safetensors")


def save(layers: dict[str, nn.Module], path: Path) -> None:
    torch.save(
        {f"{name}.{key}": value for name, each in layers.items() for key, value in each.state_dict().items()}, path
    )


GIVEN: dict[str, tuple[str, ...]] = {
    "docs/debiasing": ("artifacts/digits",), "docs/downstream": ("artifacts/digits", "artifacts/mnist", "mnist"),
    "docs/figures": ("artifacts/dsprites",), "docs/gallery": ("artifacts/scenes",),
    "docs/generation": ("artifacts/dsprites",), "docs/likelihood": ("mnist",), "docs/mnist": ("mnist",),
    "docs/findings": ("mnist",),
    "docs/outliers": ("artifacts/mnist", "artifacts/strokes", "mnist", "notmnist", "strokes.zip"),
    "docs/scores/cause-and-isolation": ("artifacts/dsprites",),
    "docs/scores/leakage": tuple(f"artifacts/dsprites/{run}" for run in ("ae-seed0", "beta4-seed0", "beta4-seed1")),
    "docs/support": ("artifacts/mnist", "mnist"),
    "docs/your-model": ("mnist", "my_model", "results", "weights.pt", "weights.safetensors"),
    "README": ("artifacts/dsprites", "v.npy", "z.npy"),
}  # fmt: skip


def shortened(words: list[str]) -> list[str]:
    """The command with few steps, in one process, on a small part of dSprites."""
    words = [
        SMALL if (before, word) == ("--data", "dsprites") else word
        for before, word in zip(["", *words], words, strict=False)
    ]
    if words[1] not in ("train", "sweep"):
        return [*words, "--workers", "1"] if words[1] == "analyze" else words
    words = [STEPS if before == "--steps" else word for before, word in zip(["", *words], words, strict=False)]
    words += [] if "--steps" in words else ["--steps", STEPS]
    return [*words, "--workers" if words[1] == "sweep" else "--threads", "1"]


# The others take up to a minute each: on request, with -m slow. Their Python runs always.
QUICK = {"docs/dashboard", "docs/debiasing", "docs/gallery", "docs/outliers", "docs/scores/leakage", "docs/training",
         "docs/tutorial", "docs/your-codes", "docs/your-data"}  # fmt: skip
PYTHON = [p for p in RUN if "docs" in p.parts and name(p) not in QUICK and "python" in dict(blocks(p))]


@pytest.mark.parametrize("page", PYTHON, ids=name)
def test_its_python_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, short_learning: None) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for number, (language, block) in enumerate(blocks(page)):
        if language == "python":
            execute(block, names, f"{page.name}, block {number}")


def execute(block: str, names: dict[str, object], where: str) -> None:
    """Run a block of Python, with few steps; one that begins with a file's name becomes that file as well."""
    if titled := re.match(r"# (\w+\.py)\n", block):
        Path(titled[1]).write_text(block, encoding="utf-8")
    exec(compile(re.sub(r"steps=\d+", f"steps={STEPS}", block), where, "exec"), names)


@pytest.mark.parametrize(
    "page", [pytest.param(p, id=name(p), marks=[] if name(p) in QUICK else [pytest.mark.slow]) for p in RUN]
)
def test_its_blocks_run(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, material: Path, short_learning: None
) -> None:
    monkeypatch.chdir(tmp_path)
    for given in GIVEN.get(name(page), ()):
        copy = partial(shutil.copytree, dirs_exist_ok=True) if (material / given).is_dir() else shutil.copy
        (tmp_path / given).parent.mkdir(parents=True, exist_ok=True)
        copy(material / given, tmp_path / given)
    names: dict[str, object] = {}
    for number, (language, block) in enumerate(blocks(page)):
        if language == "python":
            execute(block, names, f"{page.name}, block {number}")
        for words in commands(block) if language != "python" else ():
            if words[0] == "latentlab" and words[1] not in SERVED and not any(w in " ".join(words) for w in ELSEWHERE):
                assert run(shortened(words)[1:]) == 0, words
