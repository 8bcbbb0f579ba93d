"""Codes and decoded images, and what NumPy reads off them: dimensions, draws, paths, matching, projections.

Belongs here: the types `Codes` and `Decodings`, their files, and functions of arrays that several analyses, figures or
pages share. Does not belong here: scores (`metrics`), what is computed about a run and kept (`analysis`), and torch.
"""
