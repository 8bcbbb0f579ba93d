"""Encode a data set with a run's model, and keep the codes."""
