"""Importers of other libraries' checkpoints, one per file; the file's name is the format's name.

A file has one function, ``read(path, …)``, which returns a `Foreign`: the weights under the names of one of our
networks, and what is known of how they came about; or an `Embedding`: codes without a model. Arguments after ``path``
are options of ``latentlab import``; ``data`` is opened first, ``cells`` is the path that was given as ``--data``.
"""

from latentlab.exchange.importers._foreign import Foreign

__all__ = ["Foreign"]
