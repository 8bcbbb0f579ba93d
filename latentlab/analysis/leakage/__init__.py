"""Measure which other factors change along a traversal that changes one."""
