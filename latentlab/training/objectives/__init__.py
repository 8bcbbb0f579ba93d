"""Objectives, one per file: each turns a batch into `Terms`. The file's name is the objective's name.

A file declares ``OBJECTIVE``, a subclass of `Objective` whose fields are its settings. One that trains a network beside
the model (a discriminator, say) makes it in `Objective.critic` and gives what that goes down as ``Terms.critic_loss``.
"""

from latentlab.training.objectives._objective import Critic, Moment, Objective, Terms, build_objective, gaussian_rate

__all__ = ["Critic", "Moment", "Objective", "Terms", "build_objective", "gaussian_rate"]
