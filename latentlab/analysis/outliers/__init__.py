"""Measure how well a run detects out-of-distribution images, compared with baselines that need no model."""
