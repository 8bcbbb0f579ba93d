"""Measure whether one can sample from a run's latent space: coverage, holes, continuity."""
