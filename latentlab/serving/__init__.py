"""The dashboard's web server and the thumbnails it serves; the pages themselves are in ``dashboards/``."""
