"""latentlab: understand the latent spaces of autoencoders.

Names resolve when they are used, so importing the package costs nothing:
``ll.train``, ``ll.sweep``, ``ll.encode``, ``ll.analyze``, ``ll.compare``, ``ll.data``, ``ll.metrics``, ``ll.figures``.
Every question about a latent space is a function of its name: ``ll.support(run)``, ``ll.outliers(run, against=data)``.
"""

import os
import sys

# `python -m latentlab` puts the current folder first: a typing.py that lies there must not pass for a module.
if (
    sys.argv[:1] == ["-m"]
    and "latentlab" in sys.orig_argv
    and os.path.isdir(sys.path[0])  # noqa: PTH112 - a pathlib.py may lie there, too
    and os.path.samefile(sys.path[0], ".")  # noqa: PTH121
):
    del sys.path[0]

from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from latentlab import data as data
    from latentlab import figures as figures
    from latentlab import metrics as metrics
    from latentlab import models as models
    from latentlab.analysis.analyze import analyze as analyze
    from latentlab.analysis.debias.stage import debias as debias
    from latentlab.analysis.encode.stage import encode as encode
    from latentlab.analysis.explain.stage import explain as explain
    from latentlab.analysis.intervene.stage import intervene as intervene
    from latentlab.analysis.leakage.stage import leakage as leakage
    from latentlab.analysis.likelihood.stage import likelihood as likelihood
    from latentlab.analysis.names.stage import names as names
    from latentlab.analysis.outliers.stage import outliers as outliers
    from latentlab.analysis.probe.stage import probe as probe
    from latentlab.analysis.score import profiles as profiles
    from latentlab.analysis.score.hold_out import HeldOut as HeldOut
    from latentlab.analysis.score.hold_out import hold_out as hold_out
    from latentlab.analysis.score.scoring import Scores as Scores
    from latentlab.analysis.score.scoring import score as score
    from latentlab.analysis.support.stage import support as support
    from latentlab.codes.codes import Codes as Codes
    from latentlab.codes.decodings import Decodings as Decodings
    from latentlab.codes.projections import project as project
    from latentlab.data import Dataset as Dataset
    from latentlab.data import Factor as Factor
    from latentlab.errors import InputError as InputError
    from latentlab.errors import LatentlabError as LatentlabError
    from latentlab.exchange.embeddings.arrays import from_codes as from_codes
    from latentlab.exchange.exporters.huggingface import save_pretrained as save_pretrained
    from latentlab.exchange.exporting import export as export
    from latentlab.exchange.importers.huggingface import from_pretrained as from_pretrained
    from latentlab.exchange.importing import import_model as import_model
    from latentlab.exchange.importing import import_run as import_run
    from latentlab.models import wrap as wrap
    from latentlab.models.decoding import decode as decode
    from latentlab.models.decoding import traverse as traverse
    from latentlab.models.live import live as live
    from latentlab.reports.site.publish import publish as publish
    from latentlab.results import Score as Score
    from latentlab.runs.advice import advise as advise
    from latentlab.runs.choice import choices as choices
    from latentlab.runs.comparison import compare as compare
    from latentlab.runs.recurring import recurring as recurring
    from latentlab.runs.run import Run as Run
    from latentlab.runs.study import Study as Study
    from latentlab.system.resources import shipped_study as shipped_study
    from latentlab.system.waiting import spin_briefly as spin_briefly
    from latentlab.training import objectives as objectives
    from latentlab.training.sweep import sweep as sweep
    from latentlab.training.train import train as train

_HOMES = {
    "analysis.analyze": "analyze",
    "analysis.encode.stage": "encode",
    "analysis.score.hold_out": "HeldOut hold_out",
    "analysis.score.scoring": "Scores score",
    "codes.codes": "Codes",
    "codes.decodings": "Decodings",
    "codes.projections": "project",
    "data": "Dataset Factor",
    "errors": "InputError LatentlabError",
    "exchange.embeddings.arrays": "from_codes",
    "exchange.exporters.huggingface": "save_pretrained",
    "exchange.exporting": "export",
    "exchange.importers.huggingface": "from_pretrained",
    "exchange.importing": "import_model import_run",
    "models": "wrap",
    "models.decoding": "decode traverse",
    "models.live": "live",
    "reports.site.publish": "publish",
    "results": "Score",
    "runs.advice": "advise",
    "runs.choice": "choices",
    "runs.comparison": "compare",
    "runs.recurring": "recurring",
    "runs.run": "Run",
    "runs.study": "Study",
    "system.resources": "shipped_study",
    "system.waiting": "spin_briefly",
    "training.sweep": "sweep",
    "training.train": "train",
}
_HOME = {
    # A question has the name of its folder in analysis/, so adding one needs no entry here.
    **{
        each.parent.name: f"analysis.{each.parent.name}.stage"
        for each in Path(__file__).parent.glob("analysis/*/stage.py")
    },
    **{name: module for module, names in _HOMES.items() for name in names.split()},
}
_PACKAGES = {
    "data": "data",
    "figures": "figures",
    "metrics": "metrics",
    "models": "models",
    "objectives": "training.objectives",
    "profiles": "analysis.score.profiles",
}
__all__ = [*_HOME, *_PACKAGES]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return _public(name)
    if name in _PACKAGES:
        return import_module(f"latentlab.{_PACKAGES[name]}")
    if name == "__version__":
        from importlib.metadata import version

        return version("latentlab")
    raise AttributeError(f"module 'latentlab' has no attribute {name!r}")


@cache
def _public(name: str) -> Any:
    """A class as it is, a function with its arguments checked."""
    found = getattr(import_module(f"latentlab.{_HOME[name]}"), name)
    if isinstance(found, type):
        return found
    return import_module("latentlab.runs.arguments").checked(name, found)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
