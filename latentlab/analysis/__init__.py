"""What can be computed about a run: one folder per stage, and `analyze`, which runs the stages.

Belongs here: a stage's folder. Start with ``__init__.py`` (its declaration, `STAGE`), then ``stage.py`` (reads the run,
joins the parts and keeps the result). Where they are needed: ``measure.py`` (arrays to numbers, NumPy), ``record.py``
(the result's type and its file, NumPy), ``compute.py`` (what differentiates or calls the model, torch). Does not belong
here: metrics on arrays (`metrics`), drawing (`figures`).
"""
