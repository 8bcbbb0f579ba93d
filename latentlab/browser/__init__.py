"""Components that run in a web browser: decoder, sliders, live comparison; for the dashboard, sites and notebooks.

``decoder.js`` runs a decoder that `decoder.py` described, ``stage.js`` draws what `stage.py` prepared:
``mountStage(root, data, callbacks)`` for several runs, ``mountSliders`` for one. They use nothing but the browser.
``map.js`` draws all rows of a picture that `map.py` packed: ``mountMap``.
`scripts.script` gives their text, to be put into a page: nothing is fetched. Does not belong here: pages (those of the
dashboard are in ``dashboards/``, those of a site in `reports`) and figures that do not move (`figures`).
"""
