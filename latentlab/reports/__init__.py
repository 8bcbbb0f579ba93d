"""Text for papers and readers: HTML report, LaTeX table, methods paragraph, bibliography, caveats, bundle.

Belongs here: what turns results into sentences and documents. Does not belong here: single figures (`figures`).
"""
