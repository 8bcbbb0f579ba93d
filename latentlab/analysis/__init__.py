"""What can be computed about a run: one folder per stage, and `analyze`, which runs the stages.

A stage's folder holds ``measure.py`` (arrays to numbers, NumPy), ``record.py`` (the result's type and its file, NumPy),
``compute.py`` (what needs the model, torch) and ``stage.py`` (joins them and keeps the answer). Does not belong here:
metrics on arrays (`metrics`), drawing (`figures`).
"""
