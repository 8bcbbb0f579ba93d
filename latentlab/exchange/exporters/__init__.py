"""Formats that runs are handed out in, one per file; the file's name is the format's name.

A file has one function, ``write(run, out, …)`` (``write(study, out, …)`` where it says ``TAKES = "study"``, which may
be a single run as well where it says ``TAKES = "runs"``). Arguments after ``out`` are options of ``latentlab export``.
"""
