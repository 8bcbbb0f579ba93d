"""Profiles: how many rows a metric gets, drawn how, and its settings. A profile fixes what makes a score comparable.

Each file declares ``VERSION`` and ``PROTOCOLS`` (metric name → `Protocol`); ``PROTOCOLS`` in order is what ``score``
computes unless told otherwise.
"""
