"""Codes that were computed elsewhere, without their model, as runs: files and tables read, rows joined by id."""
