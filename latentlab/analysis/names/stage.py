"""The names that a run's dimensions earn, sought once and kept in ``names.json``."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from latentlab.analysis.names import STAGE
from latentlab.analysis.names.candidates import known
from latentlab.analysis.names.measure import LEAST, LEVEL, Verdict, judge
from latentlab.analysis.names.plugin import proposals
from latentlab.analysis.names.record import FILE, Names, save_names
from latentlab.codes.codes import Codes
from latentlab.data import Dataset, load
from latentlab.data.attributes import Attribute, measured
from latentlab.data.dataset import Samples, check_form
from latentlab.data.kinds import Form, kind_of
from latentlab.errors import InputError, LatentlabError
from latentlab.results import plain
from latentlab.runs.images import dataset_of, images_of
from latentlab.runs.kept import inputs_of, kept, made_from
from latentlab.runs.run import Run
from latentlab.system import user_code
from latentlab.system.files import sha256, unless_damaged
from latentlab.system.progress import Progress, silent

ROWS = 10_000
ROWS_ASKED = 2_000  # where a file of the user's own measures them, once for each of its proposals


def names(
    run: Run,
    *,
    data: Dataset | str | Path | None = None,
    plugin: str | None = None,
    rows: int | None = None,
    seed: int = 0,
    progress: Progress = silent,
) -> Names:
    """Name each dimension of a run by what tells its high codes from its low ones; kept in ``names.json``.

    Candidates are the known factors, or where there are none the label and attributes measured on the samples. A name
    is earned where it detects on held-out rows, also among rows that agree in all other dimensions, better than on
    permuted and on rotated codes. No decoder is needed, and no model where factors are known.

    Parameters
    ----------
    run : Run
        The run, or the path of its folder.
    data : Dataset, str or Path, optional
        The samples; by default what the run's codes were made from, read where no factors are known.
    plugin : str, optional
        ``FILE.py:NAME``: a function of the user's own that proposes names. What it proposed earlier is kept as long as
        the codes are the same.
    rows : int, optional
        At most how many rows of the codes; by default 10,000, with a plug-in 2,000.
    seed : int, default 0
        Of the rows, the halves, the nulls and the redraws.
    progress : callable
        Called with work done, work to do, and what is worked on.

    Returns
    -------
    Names
        A verdict for each dimension; ``earned`` has the names.

    Raises
    ------
    InputError
        Where there is nothing to name dimensions by, too few rows, or the plug-in fails.
    MissingError
        Where the run was not encoded.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> import latentlab as ll
    >>> data = ll.data.load("dsprites", size=8, grid=(1, 1, 1, 16, 16))
    >>> run = ll.train(data, f"{mkdtemp()}/run", steps=2, latent_dim=2)
    >>> codes = ll.encode(run)
    >>> len(ll.names(run).verdicts)
    2
    """
    codes = run.codes()
    inputs: dict[str, Any] = {"codes": sha256(run.codes_path), "seed": seed}
    if data is not None:
        data = load(data)
        if run.config.has_model:
            check_form(data, run.config.form, f"{run.name} was trained on")
        inputs |= {"data": plain(data.source), "fingerprint": data.fingerprint}
    if plugin is None and (earlier := _of_plugin(run, inputs, rows)) is not None:
        return earlier
    some = codes.sample(rows or (ROWS_ASKED if plugin else ROWS), seed)
    inputs["rows"] = len(some)
    if plugin is not None:
        inputs["plugin"] = _asked(run, plugin)
    found: Names = kept(
        run,
        STAGE,
        inputs,
        partial(_found, run, some, data, plugin, seed, progress),
        lambda made: save_names(run, made, inputs | ({"plugin": _ran(plugin)} if plugin else {})),
    )
    return found


def _asked(run: Run, plugin: str) -> list[Any]:
    """What a plug-in is: as the run's names record it, with what it imported, where all of that is the same still."""
    path, name = user_code.split(plugin, "source of names", "my_names.py:propose")
    own = [path.name, name, sha256(path)]
    earlier = unless_damaged(partial(inputs_of, run.path / FILE)) if run.has(STAGE.name) else None
    recorded = (earlier or {}).get("plugin")
    modules = recorded[-1] if isinstance(recorded, list) and len(recorded) > len(own) else None
    return [*own, modules] if isinstance(modules, dict) and not user_code.changed(path, modules) else own


def _ran(plugin: str) -> list[Any]:
    """What a plug-in that has been run is: its file, name and hash, and the hashes of what it imported."""
    path, name = user_code.split(plugin, "source of names", "my_names.py:propose")
    modules = user_code.sources(path)
    return [path.name, name, sha256(path), *([modules] if modules else [])]


def _of_plugin(run: Run, inputs: dict[str, Any], rows: int | None) -> Names | None:
    """The names that a plug-in proposed earlier for the same codes, if that many rows are not asked for."""
    earlier = unless_damaged(partial(inputs_of, run.path / FILE)) or {} if run.has(STAGE.name) else {}
    if not {"plugin", "rows"} <= earlier.keys() or rows not in (None, earlier["rows"]):
        return None
    same = {**inputs, "rows": earlier["rows"], "plugin": earlier["plugin"]}
    found: Names | None = unless_damaged(partial(STAGE.read, run)) if made_from(run, STAGE, same) else None
    return found


def _found(run: Run, codes: Codes, data: Dataset | None, plugin: str | None, seed: int, progress: Progress) -> Names:
    progress(0, 2, "measure attributes")
    attributes, missing = known(codes), ""
    propose = None
    if plugin is not None:
        propose = proposals(plugin, _samples(run, codes, data)[1])
    if not (codes.specs and attributes):
        try:
            attributes = [*attributes, *measured(*_samples(run, codes, data))]
        except LatentlabError as error:
            if not attributes and propose is None:
                raise InputError(f"no factors are known, and nothing can be measured: {error}"[:199]) from error
            missing = str(error)
    progress(1, 2, "judge names")
    used = np.flatnonzero(codes.active)
    judged = judge(codes.mean[:, used], attributes, propose=propose, seed=seed) if len(used) else []
    verdicts = [Verdict(why="its code hardly varies")] * codes.latent_dim
    for j, verdict in zip(used.tolist(), judged, strict=True):
        verdicts[j] = verdict
    return Names(tuple(verdicts), _settings(codes, attributes, plugin, missing, seed))


def _settings(codes: Codes, attributes: list[Attribute], plugin: str | None, missing: str, seed: int) -> dict[str, Any]:
    return {
        "rows": len(codes),
        "of_rows": codes.of_rows,
        "seed": seed,
        "candidates": [each.name for each in attributes],
        "least": LEAST,
        "level": LEVEL,
        **({"plugin": plugin} if plugin else {}),
        **({"missing": missing} if missing else {}),
    }


def _samples(run: Run, codes: Codes, data: Dataset | None) -> tuple[Form, Samples]:
    """The samples of the rows of the codes, and their form as the run takes them."""
    if data is None:
        data = dataset_of(run)
    if run.config.has_model:
        check_form(data, run.config.form, f"{run.name} was trained on")
        return run.config.form, images_of(data, codes.row_ids)
    return kind_of(data.form).fitted(data.form, data), images_of(data, codes.row_ids)
