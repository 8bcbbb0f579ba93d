"""Estimate log p(x) of a run's data."""
