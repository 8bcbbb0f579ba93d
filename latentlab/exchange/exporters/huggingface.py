"""A folder as Hugging Face has them: config.json, model.safetensors, and a model card that tells of both."""

from __future__ import annotations

import json
import math
import re
from html import escape
from importlib.metadata import version
from pathlib import Path

from latentlab.errors import InputError, one_line
from latentlab.exchange.exporters._needs import new_folder
from latentlab.models import load_model
from latentlab.runs.run import Run
from latentlab.runs.weights import check_model, model_hash
from latentlab.system.files import write_bytes, write_json
from latentlab.system.registry import names

LIBRARY = "latentlab"


def write(run: Run, out: Path) -> Path:
    """`save_pretrained`, as an export."""
    return save_pretrained(run, out)


def save_pretrained(run: Run, out: Path | str) -> Path:
    """Write a run's model as a folder that `from_pretrained` and ``latentlab import huggingface`` read.

    Nothing is sent anywhere.

    Parameters
    ----------
    run : Run
        The run, or the path of its folder.
    out : Path or str
        The folder to make.

    Returns
    -------
    Path
        That folder: ``model.safetensors``, ``config.json`` and a model card, ``README.md``.

    Raises
    ------
    InputError
        For a model of the user's own, which cannot be built from a configuration, and for codes without a model.
    MissingError
        Where the run has no weights.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> import latentlab as ll
    >>> run = ll.train("digits", f"{mkdtemp()}/run", steps=2, latent_dim=2)
    >>> folder = ll.save_pretrained(run, f"{mkdtemp()}/model")
    >>> sorted(file.name for file in folder.iterdir())
    ['README.md', 'config.json', 'model.safetensors']
    """
    out = Path(out)
    check_model(run)
    if run.config.adapter is not None:
        raise InputError(f"{run.path} contains your own model, whose code cannot be exported; share the code as well")
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
    samples = config.form.described()
    head = ["---", f"library_name: {LIBRARY}", "tags:", *(f"- {tag}" for tag in _tags(run)), "---"]
    made = {
        "objective": config.label,
        "samples": samples,
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
    lines = [
        *head,
        "",
        f"# {plain(run.name)}",
        "",
        f"An autoencoder of {samples}: {plain(config.label)}. Made with latentlab.",
    ]
    lines += ["", "| | |", "|---|---|", *(f"| {key} | {plain(str(value))} |" for key, value in made.items())]
    lines += ["", "## Scores", "", *_scores(run)]
    lines += ["", "## Use", "", *USE, "", "## Limits", "", *LIMITS]
    return "\n".join(lines) + "\n"


def public(data: str) -> str:
    """A data set's specification without the folders of this machine.

    >>> public("/home/me/photos/:size=64"), public("mnist:data/mnist"), public("digits")
    ('photos:size=64', 'mnist:mnist', 'digits')
    """
    return re.sub(r"[^:,=]*/", "", re.sub(r"/+(?=$|[:,])", "", data)) or "unknown"


def plain(text: str) -> str:
    r"""Text in which nothing is a command of Markdown or HTML, on one line.

    >>> print(plain("a|b_c\n# <i>&"))
    a\|b\_c \# &lt;i&gt;&amp;
    """
    return re.sub(r"([\\`*_\[\]|#~$!])", r"\\\1", escape(one_line(text), quote=False))


USE = (
    "```python",
    "import torch",
    "import latentlab as ll",
    "",
    'model = ll.from_pretrained("path/to/this/folder")',
    "x = model.form.to_model(samples)  # stored values (n, *shape) as the model takes them; images lie in [0, 1]",
    "posterior = model.encode(torch.from_numpy(x))  # posterior.mean is the code (n, d)",
    "decoded = model.form.from_model(model.decode(posterior.mean).mean.detach().numpy())",
    "```",
    "",
    "`latentlab import huggingface path/to/this/folder --out RUN` imports it as a run, for use with every command.",
)
LIMITS = (
    (
        "The codes are meaningful only for images like the training images. Scores hold for the data and the "
        "protocol that they were computed with, and depend on the seed."
    ),
)


def _tags(run: Run) -> list[str]:
    objective = str(run.config.objective["name"])
    ours = objective.replace("-", "_") in names("training/objectives")
    named = [objective if ours else json.dumps(one_line(objective))]  # a JSON text is one of YAML
    return list(dict.fromkeys(["autoencoder", "latent-space", *(named if objective.isascii() else [])]))


def _scores(run: Run) -> list[str]:
    if not run.has("score"):
        return ["None were computed."]
    rows = []
    for name, score in run.scores().items():
        interval = "–" if score.bounds is None else "{:.3f} to {:.3f}".format(*score.bounds)
        value = "–" if math.isnan(score.value) else f"{score.value:.3f}"
        whole = "–" if score.whole is None else f"{score.whole:.3f}"
        profile = plain(str(score.settings.get("profile", "–")))
        rows.append(f"| {plain(name)} | {value} | {whole} | {interval} | {profile} |")
    return ["| score | protocol's value | over all rows | 95 % interval | protocol |", "|---|---|---|---|---|", *rows]
