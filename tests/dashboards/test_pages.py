"""Every page on the toy study and on awkward ones: it says what is there, and explains what is not."""

from __future__ import annotations

import io
import json
import re
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from conftest import ROOT
from shown import rows, words
from toy import analyse, toy_codes, write_run

from latentlab.codes.dimensions import dimensions
from latentlab.figures import rendered
from latentlab.reports.bundle import bundle
from latentlab.runs.collected import Collected, collect
from latentlab.runs.comparison import compare, csv_of
from latentlab.runs.run import Run
from latentlab.runs.study import Study
from latentlab.system.files import write_json

ENDS = ("pdf", "caption.txt", "caption.tex", "csv")  # of a figure in the ZIP
PAGES = ("overview", "runs", "sweep", "dimensions", "compare", "map", "decode", "figures", "health")


@pytest.mark.parametrize("page", [*PAGES, "support"])
def test_every_page_calls_a_run_the_same_way_and_explains_every_heading(
    toy_study: Study, open_page: Any, page: str
) -> None:
    app = open_page(toy_study.path, page, run="beta-4-seed-0", beside="beta-1-seed-1")
    told = words(app)
    assert "· seed " not in told
    assert page in ("runs", "overview", "sweep") or "β = 4, seed 0" in told
    heads = re.findall(r"<th (.*?)>(.*?)</th>", told, re.DOTALL)
    assert [text for tag, text in heads if re.sub(r"<[^>]+>", "", text).strip() and 'title="' not in tag] == []
    assert 'title=""' not in "".join(tag for tag, text in heads if text)


def test_runs_lists_every_run_with_its_costs_and_scores(toy_study: Study, open_page: Any) -> None:
    told = rows(open_page(toy_study.path, "runs"))
    for run in toy_study.runs:
        line = next(row for row in told if run.name in row)
        assert f"{run.scores()['mig'].value:.2f}" in line
    ae = next(row for row in told if "ae-seed-0" in row)
    assert ae.count("–") >= 3, "an AE has no rate, no ELBO and no active units"


def test_sweep_names_no_setting_with_two_seeds_and_says_how_many_more(toy_study: Study, open_page: Any) -> None:
    told = words(open_page(toy_study.path, "sweep", measure="mig"))
    assert "Not decidable with 2 seeds" in told
    assert "2 more each" in told
    assert "The rule" in told


def test_sweep_names_a_setting_that_is_ahead_in_four_seeds_and_shows_by_how_much(
    tmp_path: Path, open_page: Any
) -> None:
    for beta in (1.0, 16.0):
        for seed in range(4):
            write_run(tmp_path / f"b{beta:g}-{seed}", beta, seed)
    told = words(open_page(tmp_path, "sweep", measure="mig"))
    assert "β = 16 is best." in told
    assert "P(better)" in told
    assert "interquartile mean" in told


def test_dimensions_are_ranked_and_what_is_inactive_is_greyed_and_said(toy_study: Study, open_page: Any) -> None:
    run = toy_study["beta-4-seed-0"]
    app = open_page(toy_study.path, "dimensions", run=run.name)
    shown = re.findall(r'data-key="(z\d+)"', words(app))
    table = dimensions(run.codes())
    assert shown == table["dim"].tolist()
    dead = table[table["active"] == False]["dim"].tolist()  # noqa: E712
    for dim in dead:
        line = re.search(rf'<tr class="off[^"]*" data-key="{dim}".*?</tr>', words(app), re.DOTALL)
        assert line
        assert "inactive" in line[0]
    assert words(app).count('class="strip') == len(table)
    assert "heat map of what dimension z" in words(app)


SHIPPED = Path(__file__).resolve().parents[2] / "artifacts"


def test_extreme_samples_are_shown_in_order_or_it_is_said_that_the_images_are_not_here(
    toy_study: Study, open_page: Any
) -> None:
    codes = Run(SHIPPED / "mini" / "beta4-seed0").codes()
    order = np.argsort(codes.mean[:, 1], kind="stable")
    told = words(open_page(SHIPPED / "mini", "dimensions", run="beta4-seed0", dim="z1"))
    for end in (order[:4], order[::-1][:4]):
        assert f"rows {', '.join(map(str, codes.row_ids[end]))} …" in told
    assert "Images not available" in words(open_page(toy_study.path, "dimensions", run="beta-4-seed-0"))


def test_another_anchor_is_decoded_by_the_model_itself(open_page: Any) -> None:
    run = Run(SHIPPED / "dsprites" / "beta4-seed0")
    row = int(run.codes().row_ids[1])
    stored = words(open_page(run.path, "dimensions"))
    told = words(open_page(run.path, "dimensions", anchor=str(row)))
    assert f"Row {row}: shape" in told
    assert f"reconstruction of row {row}" in told
    assert "stored anchor" not in told
    strips = [re.findall(r'class="strip[^>]* src="([^"]+)"', each) for each in (stored, told)]
    assert all(before != after for before, after in zip(*strips, strict=True))


@pytest.mark.parametrize(
    ("study", "run", "anchor", "said", "why"),
    [
        ("digits-2d", "beta4-seed0", "12", "Shown around the stored anchor", "contains no weights"),
        ("dsprites", "beta4-seed0", "422", "Row not found", "nearest id is 421"),
    ],
)
def test_where_another_anchor_cannot_be_decoded_the_stored_one_is_kept_and_it_is_said_why(
    open_page: Any, study: str, run: str, anchor: str, said: str, why: str
) -> None:
    told = words(open_page(SHIPPED / study, "dimensions", run=run, anchor=anchor))
    assert said in told
    assert why in told


def test_dimensions_of_an_autoencoder_are_ranked_by_variance_and_say_so(toy_study: Study, open_page: Any) -> None:
    told = words(open_page(toy_study.path, "dimensions", run="ae-seed-0"))
    assert "no prior and no KL" in told
    assert ">KL, nats</th>" not in told
    assert "middle 95 % of the encoded data" in told


def test_a_name_given_to_a_dimension_is_kept_in_notes_and_shown(study_of: Any, open_page: Any) -> None:
    path = study_of("beta-4-seed-0")
    before = {f.name: f.read_bytes() for f in (path / "beta-4-seed-0").iterdir()}
    app = open_page(path, "dimensions", dim="z1")
    next(field for field in app.text_input if field.label == "Name").input("up <b>down</b>")
    next(button for button in app.button if button.label == "Save").click().run()
    assert not app.exception
    run = Run(path / "beta-4-seed-0")
    assert run.notes()["dimensions"] == {"1": {"name": "up <b>down</b>", "note": ""}}
    assert "up &lt;b&gt;down&lt;/b&gt;" in words(app)
    assert "<b>down" not in words(app)
    after = {f.name: f.read_bytes() for f in run.path.iterdir() if f.name not in ("notes.json", ".lock")}
    assert after == {name: content for name, content in before.items() if name != ".lock"}


@pytest.mark.parametrize("page", PAGES)
def test_a_link_restores_the_run_and_the_colour(toy_study: Study, open_page: Any, page: str) -> None:
    app = open_page(toy_study.path, page, run="beta-16-seed-1", colour="angle")
    assert app.session_state["run"] == "beta-16-seed-1"
    assert app.session_state["colour"] == "angle"
    assert app.query_params["run"] == "beta-16-seed-1"


@pytest.mark.parametrize("page", PAGES)
def test_a_link_that_names_nothing_known_opens_the_default_and_says_so(
    toy_study: Study, open_page: Any, page: str
) -> None:
    app = open_page(toy_study.path, page, run="../../etc/passwd", colour="<script>", dim="z99", picture="tsne", x="z-1")
    assert app.session_state["run"] in {run.name for run in toy_study.runs}
    assert "../../etc/passwd&#x27; is not in this study; showing β = 1, seed 0." in words(app)
    assert "<script>" not in words(app)


def test_map_shows_faithfulness_and_how_many_rows(toy_study: Study, open_page: Any) -> None:
    told = words(open_page(toy_study.path, "map", run="beta-4-seed-0"))
    assert "500 of 768 rows" in told
    assert "trustworthiness" in told
    assert "continuity" in told


def test_map_of_two_dimensions_can_be_chosen_by_link(toy_study: Study, open_page: Any) -> None:
    app = open_page(toy_study.path, "map", run="beta-4-seed-0", picture="plane", x="z2", y="z0")
    assert (app.session_state["x"], app.session_state["y"]) == ("z2", "z0")
    assert "768 of 768 rows" in words(app)


def test_rows_are_selected_without_a_mouse_by_id_and_by_value_and_the_link_keeps_them(
    toy_study: Study, open_page: Any
) -> None:
    app = open_page(toy_study.path, "map", run="beta-4-seed-0", picture="plane", colour="shape")
    assert "The selection" not in words(app)
    app.text_input(key="rows").input("0, 10-19").run()
    assert "11 by id" in words(app)
    app.selectbox(key="value").select("heart").run()
    assert not app.exception
    assert "256 with shape heart" in words(app)
    assert "267 of 768 rows" in words(app)
    assert (app.query_params["rows"], app.query_params["value"]) == ("0, 10-19", "heart")
    again = open_page(
        toy_study.path, "map", run="beta-4-seed-0", picture="plane", colour="shape", rows="5", value="heart"
    )
    assert "257 of 768 rows" in words(again)
    again.text_input(key="rows").input("9999").run()
    assert "nearest id is 767" in words(again)
    assert "256 of 768 rows" in words(again)


@pytest.mark.parametrize("page", PAGES)
def test_a_study_of_one_run_or_a_run_alone_opens(study_of: Any, open_page: Any, page: str) -> None:
    path = study_of("beta-4-seed-0")
    open_page(path, page)
    open_page(path / "beta-4-seed-0", page)


@pytest.mark.parametrize("page", PAGES)
def test_a_study_of_autoencoders_opens(study_of: Any, open_page: Any, page: str) -> None:
    open_page(study_of("ae-seed-0", "ae-seed-1"), page)


@pytest.mark.parametrize("page", PAGES)
def test_runs_that_were_only_trained_are_explained_with_the_command_to_run(
    tmp_path: Path, open_page: Any, page: str
) -> None:
    write_run(tmp_path / "young", 4.0, 0, analysed=False)
    app = open_page(tmp_path, page)
    if page == "runs":
        assert "not encoded" in words(app)
    elif page == "health":
        assert "missing" in words(app)
    elif page == "figures":
        assert "cannot be plotted" in words(app)
    else:
        assert any("latentlab analyze" in code.value for code in app.code)


@pytest.mark.parametrize("page", PAGES)
def test_data_without_factors_are_said_to_have_none(tmp_path: Path, open_page: Any, page: str) -> None:
    run = write_run(tmp_path / "plain", 4.0, 0, analysed=False)
    analyse(run, replace(toy_codes(4.0, 0), factors=None, specs=(), grid=None), 4.0, 0)
    told = words(open_page(tmp_path, page))
    assert not any("latentlab probe" in code.value for code in open_page(tmp_path, "support").code)
    said = {"runs": "no factors", "sweep": "ELBO", "dimensions": "no known factors", "map": "no factors"}
    assert said.get(page, "") in told


def test_a_broken_run_among_good_ones_is_listed_with_the_reason(study_of: Any, open_page: Any) -> None:
    path = study_of("beta-4-seed-0", "beta-1-seed-0", "ae-seed-0")
    (path / "beta-1-seed-0" / "config.json").write_text("{")
    (path / "ae-seed-0" / "codes.h5ad").write_bytes(b"cut")
    told = words(open_page(path, "runs"))
    assert "1 broken" in told
    assert "config.json is not valid JSON" in told
    assert "unreadable file" in told


def test_a_run_whose_codes_are_cut_off_takes_neither_figures_nor_other_pages_with_it(
    study_of: Any, open_page: Any
) -> None:
    path = study_of("beta-4-seed-0", "beta-1-seed-0", "ae-seed-0")
    (path / "beta-1-seed-0" / "codes.h5ad").write_bytes(b"cut")
    app = open_page(path, "sweep")
    assert "Not shown below" in words(app)
    assert "beta-1-seed-0: see the Runs page" in words(app)
    assert len(app.get("plotly_chart")) == 2
    for page, said in (("runs", "unreadable file"), ("health", "Health of the run"), ("figures", "Figures for the")):
        told = words(open_page(path, page, run="beta-1-seed-0"))
        assert said in told
        assert "cannot be shown" not in told
    told = words(open_page(path, "figures", run="beta-1-seed-0", kind="rate-distortion"))
    assert "cannot be plotted" not in told


@pytest.mark.parametrize("file", ["codes.h5ad", "decodings.h5", "projections.h5", "scores.json", "notes.json"])
@pytest.mark.parametrize("page", PAGES)
def test_a_damaged_file_never_ends_in_a_traceback(study_of: Any, open_page: Any, page: str, file: str) -> None:
    path = study_of("beta-4-seed-0")
    damaged = path / "beta-4-seed-0" / file
    damaged.write_bytes(damaged.read_bytes()[:50] if damaged.exists() else b"{")
    open_page(path, page)


@pytest.mark.parametrize("page", PAGES)
def test_every_run_broken_is_still_a_page(study_of: Any, open_page: Any, page: str) -> None:
    path = study_of("beta-4-seed-0")
    (path / "beta-4-seed-0" / "config.json").write_text("{")
    open_page(path, page)


def test_what_a_folder_says_is_never_taken_for_html(study_of: Any, open_page: Any) -> None:
    path = study_of("beta-4-seed-0")
    config = json.loads((path / "beta-4-seed-0" / "config.json").read_text())
    write_json(path / "beta-4-seed-0" / "config.json", {**config, "data": "<img src=x onerror=alert(1)>"})
    for page in PAGES:
        assert "<img src=x" not in words(open_page(path, page))


def test_a_study_that_is_gone_is_an_explanation(tmp_path: Path, open_page: Any) -> None:
    assert "does not exist" in words(open_page(tmp_path / "gone"))


def test_sixty_runs_are_all_listed(tmp_path: Path, open_page: Callable[..., Any]) -> None:
    for number in range(60):
        write_run(tmp_path / f"run-{number:02d}", float(1 + number // 5), number % 5, analysed=number < 3)
    assert len([row for row in rows(open_page(tmp_path, "runs")) if "run-" in row]) == 60


def test_codes_that_cannot_be_ranked_are_explained(tmp_path: Path, open_page: Any) -> None:
    run = write_run(tmp_path / "tiny", 4.0, 0, analysed=False)
    from latentlab.codes.h5ad import save_codes

    save_codes(run.codes_path, toy_codes(4.0, 0).take(np.arange(1)))
    assert "at least two" in words(open_page(tmp_path, "dimensions"))


def test_compare_matches_each_dimension_with_its_like(toy_study: Study, open_page: Any) -> None:
    app = open_page(toy_study.path, "compare", run="beta-1-seed-0", beside="beta-4-seed-1")
    lines = [row for row in rows(app) if "|ρ|" in row]
    assert len(lines) == 3, "the three active dimensions"
    for line in lines:
        assert len(set(re.findall(r"z\d", line))) == 1, "the toy's dimensions keep their places"
        assert "unmatched" not in line


def test_health_names_the_file_that_is_stale_and_why(study_of: Any, open_page: Any) -> None:
    path = study_of("beta-4-seed-0", "beta-1-seed-0")
    shutil.copy(path / "beta-1-seed-0" / "model.safetensors", path / "beta-4-seed-0" / "model.safetensors")
    stale = [row for row in rows(open_page(path, "health", run="beta-4-seed-0")) if "stale" in row]
    assert any("codes.h5ad" in row and "model.safetensors differs" in row for row in stale)


def test_figures_previews_every_kind_or_says_why_not(toy_study: Study, open_page: Any) -> None:
    from latentlab.system.registry import names

    for kind in names("figures"):
        app = open_page(toy_study.path, "figures", run="beta-4-seed-0", kind=kind.replace("_", "-"))
        assert app.get("image") or "cannot be plotted" in words(app)


def test_what_is_collected_waits_on_figures_and_can_be_taken_away(
    study_of: Any, open_page: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LATENTLAB_READ_ONLY", "")
    study = Study(study_of("beta-4-seed-0"))
    app = open_page(study.path, "figures", run="beta-4-seed-0", preset="icml")
    assert "Nothing collected yet" in words(app)
    from collected import Item
    from drawings import Drawing

    run = study["beta-4-seed-0"]
    kl = Item("KL <b>now</b>", "four dimensions", "latentlab figure kl x", Drawing("kl", (run,)), b"dim,kl")
    broken = Item("Nothing here", "", "", Drawing("projection", (run,), {"method": "umap"}), None)
    collect(study, Collected(kl.title, kl.said, kl.command, "kl"))
    collect(study, Collected(broken.title, kind="projection", options={"method": "umap"}))
    app.run()
    assert not app.exception
    told = words(app)
    assert "2 panels" in told
    assert "KL &lt;b&gt;now&lt;/b&gt;" in told
    assert "cannot be plotted" in told
    assert app.get("image")
    content = bundle([item.panel("icml") for item in (kl, broken)], preset="icml")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.namelist() == ["README.md", *(f"01-kl-b-now-b.{end}" for end in ENDS)]
        assert archive.read("01-kl-b-now-b.caption.txt").decode().startswith("KL per latent dimension")
        assert archive.read("01-kl-b-now-b.pdf") == rendered("kl", run, "pdf", "icml")
        assert b"Not plotted: " in archive.read("README.md")
    next(button for button in app.button if button.label == "Remove").click().run()
    assert "1 panel" in words(app)
    assert not app.exception


def test_a_panel_is_collected_with_its_numbers_and_given_up_again(toy_study: Study, open_page: Any) -> None:
    open_page(toy_study.path, "sweep")
    import collected
    from drawings import Drawing

    drawing = Drawing("kl", (toy_study["beta-4-seed-0"],))
    assert collected.numbers(drawing, None) == rendered("kl", toy_study["beta-4-seed-0"], "csv")
    assert collected.numbers(None, lambda: compare(toy_study)) == csv_of(compare(toy_study))
    assert collected.numbers(None, None) is None


@pytest.fixture(scope="module")
def halves(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of a model that only encodes and of one that only decodes."""
    from torch import nn

    import latentlab as ll

    path = tmp_path_factory.mktemp("halves")
    into = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
    out = nn.Sequential(nn.Linear(3, 64), nn.Sigmoid(), nn.Unflatten(1, (1, 8, 8)))
    encoder, decoder = ll.wrap(encoder=into, latent_dim=3), ll.wrap(decoder=out, latent_dim=3)
    ll.analyze(ll.import_model(encoder, path / "encoder", data="digits"), only=["encode"], adapter=encoder)
    ll.analyze(ll.import_model(decoder, path / "decoder"), only=["encode", "traverse"], adapter=decoder)
    return path


@pytest.mark.parametrize(
    ("page", "run", "said"),
    [
        ("sweep", "encoder", "None of these models has both an encoder and a decoder"),
        ("dimensions", "encoder", "This model has no decoder, so the effect of a dimension cannot be shown"),
        ("dimensions", "decoder", "decoder has no encoder: its codes are samples from the prior"),
        ("compare", "encoder", "encoder is the only run that can be compared"),
        ("compare", "decoder", "This model has only a decoder"),
        ("support", "encoder", "None of these models has both an encoder and a decoder"),
        ("support", "decoder", "not codes of images"),
        ("decode", "encoder", "This model has only an encoder"),
        ("decode", "decoder", "The dashboard does not run your own code"),
    ],
)
def test_half_a_model_is_told_what_it_lacks_and_offered_no_command_in_vain(
    halves: Path, open_page: Any, page: str, run: str, said: str
) -> None:
    app = open_page(halves, page, run=run)
    assert said in words(app)
    vain = {"encoder": ("explain", "support", "traverse"), "decoder": ("outliers", "debias", "support", "leakage")}[run]
    assert not [code.value for code in app.code if any(verb in code.value.split() for verb in vain)]


def test_many_runs_are_sorted_over_all_and_shown_in_pages(tmp_path: Path, open_page: Callable[..., Any]) -> None:
    for number in range(103):
        write_run(tmp_path / f"run-{number:03d}", float(1 + number // 5), number % 5, analysed=number == 101)
    names = lambda app: [row.split()[0] for row in rows(app) if row.lstrip().startswith("run-")]  # noqa: E731
    every = [run.name for run in Study(tmp_path).runs]
    first = open_page(tmp_path, "runs")
    assert names(first) == every[:100]
    assert "1 to 100 of 103 rows" in words(first)
    ranked = open_page(tmp_path, "runs", sort="mig")
    assert names(ranked)[0] == "run-101", "the one run with a score comes first, wherever it was"
    assert names(open_page(tmp_path, "runs", sort="run", order="falling"))[0] == "run-102"
    first.number_input(key="page").set_value(2).run()
    assert names(first) == every[100:]


@pytest.mark.parametrize(("back", "acts"), [(False, 1), (True, 0)])
def test_going_back_is_no_act_of_a_widget(monkeypatch: pytest.MonkeyPatch, back: bool, acts: int) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "dashboards"))
    choice = import_module("choice")
    monkeypatch.setattr(choice, "get_script_run_ctx", lambda: SimpleNamespace(is_history_navigation=back))
    done: list[str] = []
    choice.unless_back(lambda: done.append("act"))()
    assert len(done) == acts
