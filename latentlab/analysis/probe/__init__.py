"""Measure how few labels suffice for simple classifiers on a run's codes."""
