"""A folder as Hugging Face has them: config.json, model.safetensors, and a model card that tells of both."""

from __future__ import annotations

import math
import re
from importlib.metadata import version
from pathlib import Path

from latentlab.errors import InputError
from latentlab.exchange.exporters._needs import new_folder
from latentlab.models import load_model
from latentlab.runs.run import Run, model_hash
from latentlab.system.files import write_bytes, write_json

LIBRARY = "latentlab"


def write(run: Run, out: Path) -> Path:
    """`save_pretrained`, as an export."""
    return save_pretrained(run, out)


def save_pretrained(run: Run, out: Path | str) -> Path:
    """Write a run's model as a folder that `from_pretrained` and ``latentlab import huggingface`` read.

    Nothing is sent anywhere. A model of the user's own cannot be built from a configuration and is an `InputError`.
    """
    out = Path(out)
    if run.config.adapter is not None:
        raise InputError(f"{run.path} holds a model of your own, whose code such a folder cannot carry; hand both on")
    load_model(run)  # weights that are missing or damaged are said here, and not by who gets the folder
    digest = model_hash(run)
    about = {"library_name": LIBRARY, "library_version": version(LIBRARY), "weights_sha256": digest}
    config = run.config.model_dump(mode="json", exclude={"hardware"})
    with new_folder(out):
        write_bytes(out / "model.safetensors", run.model_path.read_bytes())
        write_json(out / "config.json", {**about, **config, "data": public(run.config.data)})
        write_bytes(out / "README.md", card(run).encode())
    return out


def card(run: Run) -> str:
    """The model card: what it is, how it was made, what it scores, how to use it and what not to believe."""
    config = run.config
    shape = "×".join(map(str, config.image_shape))
    head = ["---", f"library_name: {LIBRARY}", "tags:", *(f"- {tag}" for tag in _tags(run)), "---"]
    made = {
        "objective": config.label,
        "images": shape,
        "data": f"{public(config.data)}, {config.split} split, {config.rows:,} rows"
        if config.rows
        else public(config.data),
        "network": config.network,
        "latent dimensions": config.latent_dim,
        "encoder": "stochastic (mean and variance)" if config.stochastic else "deterministic",
        "likelihood": config.likelihood + (f", σ = {config.sigma:g}" if "gaussian" in config.likelihood else ""),
        "training": f"{run.step:,} steps of {config.batch_size} images, learning rate {config.learning_rate:g}"
        if config.steps
        else "not recorded",
        "seed": config.seed,
    }
    lines = [*head, "", f"# {run.name}", "", f"An autoencoder of images {shape}: {config.label}. Made with latentlab."]
    lines += ["", "| | |", "|---|---|", *(f"| {key} | {value} |" for key, value in made.items())]
    lines += ["", "## Scores", "", *_scores(run)]
    lines += ["", "## Use", "", *USE, "", "## Limits", "", *LIMITS]
    return "\n".join(lines) + "\n"


def public(data: str) -> str:
    """A data set's specification without the folders of this machine.

    >>> public("/home/me/photos/:size=64"), public("mnist:data/mnist"), public("digits")
    ('photos:size=64', 'mnist:mnist', 'digits')
    """
    return re.sub(r"[^:,=]*/", "", re.sub(r"/+(?=$|[:,])", "", data)) or "unknown"


USE = (
    "```python",
    "import latentlab as ll",
    "",
    'model = ll.from_pretrained("path/to/this/folder")',
    "posterior = model.encode(images)  # images (n, c, h, w) in [0, 1]; posterior.mean is the code (n, d)",
    "pictures = model.decode(posterior.mean).mean",
    "```",
    "",
    "`latentlab import huggingface path/to/this/folder --out RUN` makes a run of it, which every verb takes.",
)
LIMITS = (
    "The codes mean something for images like those it was trained on, and nothing else. Scores hold for the data and "
    "the protocol they were computed with; their values depend on the seed.",
)


def _tags(run: Run) -> list[str]:
    objective = str(run.config.objective["name"])
    return list(dict.fromkeys(["autoencoder", "latent-space", *([objective] if objective.isascii() else [])]))


def _scores(run: Run) -> list[str]:
    if not run.has("score"):
        return ["None were computed."]
    rows = []
    for name, score in run.scores().items():
        interval = "–" if score.interval is None else "{:.3f} to {:.3f}".format(*score.interval)
        value = "–" if math.isnan(score.value) else f"{score.value:.3f}"
        rows.append(f"| {name} | {value} | {interval} | {score.settings.get('profile', '–')} |")
    return ["| score | value | 95 % interval | protocol |", "|---|---|---|---|", *rows]
