"""A figure is shown by notebooks, and by what is exported from them, without a setting and without a request."""

from __future__ import annotations

from base64 import b64decode
from io import BytesIO

from PIL import Image

import latentlab as ll
from latentlab.figures._shown import WIDTH
from latentlab.runs.study import Study

LIVE = "application/vnd.plotly.v1+json"


def test_a_figure_is_alive_where_plotly_is_and_a_picture_elsewhere(toy_study: Study) -> None:
    figure = ll.figures.kl(toy_study["beta-4-seed-0"])
    bundle = figure._repr_mimebundle_()
    assert set(bundle) == {LIVE, "text/html", "image/png"}
    assert len(bundle[LIVE]["data"]) == len(figure.data)
    assert figure._repr_html_() == bundle["text/html"]
    assert "<script" not in bundle["text/html"]
    assert "KL per latent dimension" in bundle["text/html"]
    with Image.open(BytesIO(b64decode(bundle["image/png"]))) as image:
        assert 0 < image.width <= 2 * WIDTH


def test_a_figure_that_was_changed_is_shown_as_it_is(toy_study: Study) -> None:
    figure = ll.figures.kl(toy_study["beta-4-seed-0"])
    figure.update_layout(height=300)
    bundle = figure._repr_mimebundle_()
    assert set(bundle) == {LIVE, "text/html"}
    assert "Plotly.newPlot" in bundle["text/html"]
    assert "<script src" not in bundle["text/html"].partition("Plotly.newPlot")[0][:2000]
