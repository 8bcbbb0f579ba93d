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
    verdict = (
        "all files are up to date"
        if bad.empty
        else f"{len(bad)} of {len(table)} files need{'s' * (len(bad) == 1)} attention"
    )
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
        "current: made from the current files; stale: an input changed since; source: no inputs recorded; not "
        "needed: only used to resume; locked: it cannot be opened now; newer: written by a later version of "
        "latentlab, so upgrade."
    )
    _made_with(run)


def _made_with(run: Run) -> None:
    environment = reads.environment_of(run)
    config = run.config
    settings: dict[str, object] = {
        "objective": config.label,
        "data": config.data,
        "network": config.network,
        "latent size": config.latent_dim,
        "likelihood": config.likelihood,
        "seed": config.seed,
        "steps": f"{run.step:,} of {config.steps:,}",
        "batch size": config.batch_size,
        "learning rate": f"{config.learning_rate:g}",
        "device": f"{config.hardware.device}, {config.hardware.precision}, {_threads(config.hardware.threads)}",
    }
    if not config.has_model:
        imported = config.imported or {}
        settings = {"name": config.label, "rows": f"{config.rows:,} of {config.source.get('name', 'codes')}"}
        settings |= {"latent size": config.latent_dim, "seed": config.seed}
        settings |= {key: imported[key] for key in ("format", "file", "sha256") if imported.get(key)}
        settings |= {f"--{key}": str(value) for key, value in dict(imported.get("options") or {}).items()}
    panels.head("Software and hardware", [run.config.label, run.state], "environment", small=True)
    both = [
        *settings.items(),
        *(
            (key.replace("images", config.plural).replace("_", " "), _plain(value))
            for key, value in environment.items()
            if key not in settings
        ),
    ]
    half = -(-len(both) // 2)
    rows = [
        ([cell for pair in (both[i], *both[half + i : half + i + 1]) for cell in _pair(*pair)], "", "")
        for i in range(half)
    ]
    rows = [([*cells, "", ""][:4], key, kind) for cells, key, kind in rows]
    panels.show(markup.rows_html([("", ""), ("", ""), ("", ""), ("", "wrap")], rows))
    if not environment and not config.has_model:
        panels.note("These codes were imported without a model; how they were made is not recorded.")
    elif not environment:
        panels.note("Versions and hardware were not recorded with this run.")


def _pair(key: str, value: object) -> list[str]:
    return [f'<span class="soft">{html.escape(key)}</span>', markup.text(value)]


def _threads(count: int) -> str:
    return f"{count} thread{'s' * (count != 1)}"


def _plain(value: object) -> str:
    return f"{value:,.1f}" if isinstance(value, float) else str(value)


page()
