"""A study as a folder of web pages that need no server: overview, live comparison, map, dimensions, scores, report.

`publish` writes the folder. `pages.py` fills the templates beside it, `decoders.py` and `rows.py` prepare what the
pages load from ``data/`` when it is asked for, and `folder.py` puts a finished folder in its place.
"""
