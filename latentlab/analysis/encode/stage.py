"""The codes of a run, encoded once and kept in ``codes.h5ad``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch

from latentlab.analysis.encode import STAGE
from latentlab.codes.codes import BLOCK as ROWS_READ
from latentlab.codes.codes import Codes
from latentlab.codes.h5ad import FORMAT, encoded, load_codes, read_provenance, save_codes, writing
from latentlab.codes.h5ad_writer import CodesWriter
from latentlab.data import Dataset, read_spec, say_if_dark
from latentlab.data.dataset import check_ids
from latentlab.models import Model, load_model
from latentlab.models.conditions import told_of
from latentlab.models.encoding import BATCH, DISTORTION_ROWS, DRAWN, Distortion, distortions, posteriors
from latentlab.models.load import encoding_threads
from latentlab.results import plain
from latentlab.runs.data import analysed, data_of, place
from latentlab.runs.kept import made_from
from latentlab.runs.run import Run
from latentlab.runs.weights import check_model, model_hash
from latentlab.system.files import lock, unless_damaged
from latentlab.system.progress import Progress, silent


def encode(
    run: Run,
    data: Dataset | None = None,
    *,
    split: str | None = None,
    distortion: Distortion = "sample",
    seed: int = 0,
    adapter: str | Model | None = None,
    progress: Progress = silent,
) -> Codes:
    """Encode data with the run's model; the codes are kept in the run's ``codes.h5ad``.

    Parameters
    ----------
    run : Run
        The run, or the path of its folder.
    data : Dataset, optional
        What to encode, or its name or path; by default what the run was trained on.
    split : str, optional
        A published part of the data; by default the test part where one is published.
    distortion : {"sample", "all", "none"}
        For which rows −log p(x|z) is computed, in nats at one posterior sample, seeded; it costs a decode per row.
        ``sample`` takes a split named ``test`` or else 10,000 seeded rows, ``all`` every row.
    seed : int, default 0
        Of the rows and of the posterior samples.
    adapter : str or Model, optional
        What a run of a user's own model needs: the ``FILE.py:NAME`` it was imported with, or the model.
    progress : callable
        Called with rows done and rows in all.

    Returns
    -------
    Codes
        Posterior means and variances (n, d), one row per sample, with what is known of each row.

    Raises
    ------
    InputError
        For data of another form than the run was trained on, an unknown split, or a missing or wrong adapter.
    MissingError
        Where the run has no weights, or its data are not there.

    Notes
    -----
    Stored codes of the same weights and images are read, not recomputed; factors or labels
    that have changed since replace those in the file. The same images are those of the same content
    (`Dataset.fingerprint`), whatever they are called. A model without an encoder has no codes of images: its codes are
    10,000 seeded draws from the prior N(0, I). Codes that were imported without a model are returned as they are.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> import latentlab as ll
    >>> run = ll.train("digits", f"{mkdtemp()}/run", steps=2, latent_dim=2)
    >>> ll.encode(run)
    Codes(1,797 rows × 2 latent dimensions; labels)
    """
    write_codes(run, data, split=split, distortion=distortion, seed=seed, adapter=adapter, progress=progress)
    return load_codes(run.codes_path)


def write_codes(
    run: Run,
    data: Dataset | None = None,
    *,
    split: str | None = None,
    distortion: Distortion = "sample",
    seed: int = 0,
    adapter: str | Model | None = None,
    progress: Progress = silent,
) -> None:
    """What `encode` does, without reading the codes afterwards: memory is the same for any number of rows."""
    if not run.config.has_model:
        if data is not None or split is not None:
            check_model(run)
        STAGE.path(run)  # imported codes are there, or are said to be missing
        return
    if not run.encodes:
        _draw(run, seed)
        return
    whole = data_of(run) if data is None else data
    spec = whole.spec if data is None else _from_anywhere(run, whole.spec)
    data = analysed(run, whole, split)
    check_ids(data)
    inputs = {
        "model": model_hash(run),
        "source": dict(data.source),
        "fingerprint": data.fingerprint,
        "rows": len(data),
        "split": data.name,
        "distortion": distortion,
        "seed": seed,
        "format": FORMAT,
    }
    if made_from(run, STAGE, inputs):
        return
    provenance = unless_damaged(lambda: read_provenance(run.codes_path)) or {}
    with lock(run.path):  # codes are written as they are computed: they need not fit into memory
        # What a model is told is a factor: where factors are others, so are the codes.
        if run.config.conditions is None and _of_same_images(provenance, plain(inputs)):
            _describe_again(run, data, {**provenance, "inputs": inputs, "data": spec})
        else:
            data = replace(data, spec=spec)
            say_if_dark(data)
            _encode(run, data, inputs, distortion, seed, adapter, progress)


def _from_anywhere(run: Run, spec: str) -> str:
    """A specification by which the run finds the same data later: its relative paths start where it was trained."""
    if not spec:
        return spec
    named = read_spec(spec)
    here = named.at().resolved()
    return spec if named.at(place(run)).resolved() == here else str(here)


def _of_same_images(provenance: dict[str, Any], inputs: dict[str, Any]) -> bool:
    """Whether all rows of the wanted codes are there, and differ in factors and labels alone."""
    recorded = provenance.get("inputs", {})
    images = recorded.get("fingerprint", {}).get("images")
    if "of_rows" in provenance or images != inputs["fingerprint"]["images"]:
        return False
    return bool(inputs == {**recorded, "source": inputs["source"], "fingerprint": inputs["fingerprint"]})


def _describe_again(run: Run, data: Dataset, provenance: dict[str, Any]) -> None:
    """Write the run's codes with the factors and labels that the data have now; nothing is encoded."""
    stochastic = run.config.stochastic
    with writing(run.codes_path, data, run.config.latent_dim, stochastic=stochastic, provenance=provenance) as writer:
        for mean, variance, distortion in encoded(run.codes_path, ROWS_READ):
            rows = slice(writer.position, writer.position + len(mean))
            writer.add(mean, variance)
            if distortion is not None:
                writer.judge(rows, distortion)


def _encode(
    run: Run,
    data: Dataset,
    inputs: dict[str, Any],
    distortion: Distortion,
    seed: int,
    adapter: str | Model | None,
    progress: Progress,
) -> None:
    config = run.config
    torch.set_num_threads(config.hardware.threads)
    model = load_model(run, adapter)
    provenance = {
        "inputs": inputs,
        "data": data.spec,
        "run": run.name,
        "label": config.label,
        "stochastic": config.stochastic,
        "likelihood": config.likelihood,
        "step": run.step,
    }
    stochastic = config.stochastic
    with writing(run.codes_path, data, config.latent_dim, stochastic=stochastic, provenance=provenance) as writer:
        for mean, variance in posteriors(model, data, encoding_threads(run)):
            writer.add(mean, variance)
            progress(writer.position, len(data))
        if run.decodes:
            _add_distortion(writer, model, data, distortion, seed)


def _draw(run: Run, seed: int) -> None:
    """Codes for a model that only decodes: draws from the prior, kept like any others."""
    inputs = {"model": model_hash(run), "source": {"name": "prior"}, "rows": DRAWN, "seed": seed, "format": FORMAT}
    if not made_from(run, STAGE, inputs):
        mean = np.random.default_rng(seed).standard_normal((DRAWN, run.config.latent_dim), np.float32)
        provenance = {"inputs": inputs, "run": run.name, "label": run.config.label, "stochastic": False}
        with lock(run.path):
            save_codes(run.codes_path, Codes(mean, provenance=provenance))


def _add_distortion(writer: CodesWriter, model: Model, data: Dataset, distortion: Distortion, seed: int) -> None:
    if distortion == "none":
        return
    rows = np.arange(len(data))
    if distortion == "sample" and not data.name.endswith(":test") and len(data) > DISTORTION_ROWS:
        rows = np.sort(np.random.default_rng(seed).permutation(len(data))[:DISTORTION_ROWS])
    told = told_of(model, data)
    for start in range(0, len(rows), BATCH):
        chosen = rows[start : start + BATCH]
        given = None if told is None else told[chosen]
        writer.judge(chosen, distortions(model, data.read(chosen), seed=seed + start, told=given))
