"""From a data set and a configuration to run folders: objectives, one model, a study of many.

Belongs here: everything that changes weights, and what it writes while it does. Does not belong here: networks
(`models`), and what is asked of a model once it is trained (`analysis`).
"""
