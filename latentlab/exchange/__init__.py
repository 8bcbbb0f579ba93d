"""Formats of other libraries: checkpoints that come in, runs and studies that go out.

Belongs here: one file per format in ``importers/`` and ``exporters/``. Does not belong here: our own files (`runs`,
`codes`), tables and reports for readers (`reports`).
"""
