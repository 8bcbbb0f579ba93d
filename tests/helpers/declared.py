"""What the package's metrics declare."""

from latentlab.metrics._metric import Metric
from latentlab.system.registry import load, names


def known_metrics() -> dict[str, Metric]:
    """The declaration of every metric in the folder, by name."""
    return {name: load("metrics", name).METRIC for name in names("metrics")}
