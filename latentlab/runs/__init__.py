"""A run's folder and a study's: what lies in them, whether it belongs together, and how runs compare.

Belongs here: reading a run (`Run`, `Study`, configuration, notes, data), its health, and tables over several runs.
Does not belong here: training, and anything that needs a model. Opening a run needs no torch.
"""
