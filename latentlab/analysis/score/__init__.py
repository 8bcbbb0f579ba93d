"""Score a run's codes by a profile: arrays are checked, rows drawn, metrics called, uncertainty added."""
