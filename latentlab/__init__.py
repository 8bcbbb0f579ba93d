"""latentlab: understand the latent spaces of autoencoders.

Names resolve when they are used, so importing the package costs nothing:
``ll.train``, ``ll.sweep``, ``ll.encode``, ``ll.analyze``, ``ll.compare``, ``ll.data``, ``ll.metrics``, ``ll.figures``.
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

from importlib import import_module
from typing import Any

_HOME = {
    "Codes": "codes",
    "Dataset": "data",
    "Decodings": "decodings",
    "Factor": "data",
    "InputError": "errors",
    "LatentlabError": "errors",
    "Run": "runs",
    "Score": "score",
    "Study": "runs",
    "analyze": "analysis",
    "compare": "comparison",
    "decode": "decoding",
    "encode": "encoding",
    "export": "exporting",
    "from_pretrained": "importers.huggingface",
    "import_model": "importing",
    "import_run": "importing",
    "live": "loading",
    "project": "projections",
    "save_pretrained": "exporters.huggingface",
    "sweep": "sweeps",
    "train": "training",
    "wrap": "models",
    "traverse": "decoding",
}
_PACKAGES = ("data", "figures", "metrics", "models", "objectives", "profiles")
__all__ = [*_HOME, *_PACKAGES]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"latentlab.{_HOME[name]}"), name)
    if name in _PACKAGES:
        return import_module(f"latentlab.{name}")
    raise AttributeError(f"module 'latentlab' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
