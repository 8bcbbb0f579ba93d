"""Metrics: pure functions on arrays, one per file; the file's name is the metric's name.

Each file declares ``METRIC`` (what it needs, its range, which direction is good, its source) and defines one
function of its own name that returns a `Score`. ``ll.metrics.mig(codes, factors)``. What several metrics share begins
with an underscore. Does not belong here: which rows and settings a profile gives a metric, intervals and nulls
(`analysis.score`), and anything that opens a run.
"""

from importlib import import_module

from latentlab.system.registry import names

# Functions take the place of their modules here, so that metrics.mig is callable. All files are read at once: were one
# imported later, Python would bind the module over the function. They import scikit-learn inside functions only.
for _name in names("metrics"):
    globals()[_name] = getattr(import_module(f"{__name__}.{_name}"), _name)
