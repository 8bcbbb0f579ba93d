"""Objectives, one a file: each turns a batch into `Terms`. The file's name is the objective's name.

A file declares ``OBJECTIVE``, a subclass of `Objective` whose fields are its settings.
"""

from latentlab.objectives._objective import Objective, Terms, build_objective, gaussian_rate

__all__ = ["Objective", "Terms", "build_objective", "gaussian_rate"]
