"""Health: whether the files of a run belong together, and what it was made with."""

from __future__ import annotations

import html

import choice
import markup
import panels
import reads
from drawings import command

from latentlab.runs.run import Run

BAD = {"stale", "damaged", "missing", "locked", "newer"}


def page() -> None:
    """The whole page."""
    run = choice.current()
    table = reads.healthy(run)
    bad = table[table["state"].isin(BAD)]
    verdict = "no file wants attention" if bad.empty else f"{len(bad)} of {len(table)} files want attention"
    facts = [reads.label(run.name), verdict]
    panels.head("Health of the run", facts, "health", make=command("analyze", run.path), data=lambda: table)
    rows = []
    for row in table.to_dict("records"):
        mark = f'<span class="flag{" bad" * (row["state"] in BAD)}">{row["state"]}</span>'
        size = f"{row['bytes']:,}" if row["sha256"] else "–"
        digest = f'<code title="{row["sha256"]}">{row["sha256"][:12]}</code>' if row["sha256"] else "–"
        why = html.escape(row["why"])
        rows.append(([f"<b>{row['file']}</b>", mark, size, markup.text(row["written"]), digest, why], "", ""))
    columns = [("file", ""), ("state", ""), ("bytes", "num"), ("written", ""), ("SHA-256", ""), ("why", "wrap")]
    panels.show(markup.rows_html(columns, rows))
    panels.note(
        "current: made from the files that are there now; stale: one of them changed since; "
        "source: nothing was recorded to compare with; not needed: only a run that goes on reads it; "
        "locked: it cannot be opened now; newer: a later version of latentlab wrote it, so upgrade."
    )
    _made_with(run)


def _made_with(run: Run) -> None:
    found = reads.environment_of(run)
    config = run.config
    settings = {
        "objective": config.label,
        "data": config.data,
        "network": config.network,
        "latent size": config.latent_dim,
        "likelihood": config.likelihood,
        "seed": config.seed,
        "steps": f"{run.step:,} of {config.steps:,}",
        "batch size": config.batch_size,
        "learning rate": f"{config.learning_rate:g}",
        "device": f"{config.hardware.device}, {config.hardware.precision}, {config.hardware.threads} threads",
    }
    panels.head("What it was made with", [run.config.label, run.state], "environment", small=True)
    both = [*settings.items(), *((key, _plain(value)) for key, value in found.items())]
    half = -(-len(both) // 2)
    rows = [
        ([cell for pair in (both[i], *both[half + i : half + i + 1]) for cell in _pair(*pair)], "", "")
        for i in range(half)
    ]
    rows = [([*cells, "", ""][:4], key, kind) for cells, key, kind in rows]
    panels.show(markup.rows_html([("", ""), ("", ""), ("", ""), ("", "wrap")], rows))
    if not found:
        panels.note("Versions and hardware were not recorded with this run.")


def _pair(key: str, value: object) -> list[str]:
    return [f'<span class="soft">{html.escape(key)}</span>', markup.text(value)]


def _plain(value: object) -> str:
    return f"{value:,.4g}" if isinstance(value, float) else str(value)


page()
