"""The dashboard's web server and the thumbnails it serves; the pages themselves are in ``dashboards/``.

Belongs here: the process that listens, who may connect, and images that it sends by itself. Does not belong here:
what a page shows (``dashboards/``), and parts that run in the browser (`browser`)."""
