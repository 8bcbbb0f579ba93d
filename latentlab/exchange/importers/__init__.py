"""Importers of other libraries' checkpoints, one a file; the file's name is the format's name.

A file has one function, ``read(path, …)``, which returns a `Foreign`: the weights under the names of one of our
networks, and what is known of how they came about. Arguments after ``path`` are options of ``latentlab import``.
"""

from latentlab.exchange.importers._foreign import Foreign

__all__ = ["Foreign"]
