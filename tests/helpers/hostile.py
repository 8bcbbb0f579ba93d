"""A folder with every settings file that a library of ours is known to look for, and a process that works beside it.

``python -P tests/helpers/hostile.py FOLDER STUDY OUT`` runs every verb where it stands in that folder, some
elsewhere, and prints what was read of the folder's own files.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from pathlib import Path

MARK = "import pathlib; pathlib.Path(__file__).with_name('SUNG').open('a').write(__name__ + '\\n')\n"
MODULES = """
    signal threading random json tomllib typing dataclasses logging copy csv sitecustomize usercustomize conftest
    numpy torch yaml typer click rich pydantic pandas scipy sklearn matplotlib numba umap h5py streamlit dask
    distributed ipython_config jupyter_notebook_config evil settings secrets local_settings
"""
SETTINGS = {
    ".numba_config.yaml": "cache_dir: .cache\ndebug: 1\n",
    "matplotlibrc": "axes.facecolor: red\nbackend: module://evil\n",
    ".matplotlib/matplotlibrc": "axes.facecolor: red\n",
    ".streamlit/config.toml": '[theme]\nbase = "evil.toml"\n[server]\nport = 1\n[client]\nshowErrorDetails = "full"\n',
    ".streamlit/secrets.toml": 'LATENTLAB_STUDY = "/"\nCANARY_FROM_SECRETS = "1"\n',
    ".streamlit/credentials.toml": '[general]\nemail = "x"\n',
    "evil.toml": "[theme]\n",
    ".env": "CANARY_FROM_ENV=1\nUVICORN_PORT=1\n",
    "dask.yaml": "logging: evil\n",
    "distributed.yaml": "distributed: {}\n",
    ".config/dask/dask.yaml": "logging: evil\n",
    ".config/matplotlib/matplotlibrc": "axes.facecolor: red\n",
    "logging.conf": "[loggers]\nkeys=root\n",
    "log_config.json": "{}",
    ".netrc": "machine localhost login a password b\n",
    "pyproject.toml": "[tool.x]\n",
    "setup.cfg": "[x]\n",
    "tox.ini": "[x]\n",
    "pip.conf": "[global]\n",
    "pyvenv.cfg": "home = /\n",
    ".plotly/.config": "{}",
    ".pth": "import evil\n",
    "evil.pth": "import evil\n",
    "zarr.yaml": "a: 1\n",
    "umap.yaml": "a: 1\n",
    "fonts.conf": "<fontconfig/>",
    "typer.toml": "a = 1\n",
}
VERBS = """
    data ls | data show digits | doctor {study} | compare {study} | methods {study}
    train --data digits --out {out}/r1 --network shallow --latent-dim 2 --steps 2 --threads 1 --quiet
    sweep --data digits --out {out}/study --beta 1,4 --workers 2 --network shallow --latent-dim 2 --steps 2 --quiet
    analyze {study}/r0 --resamples 0 --quiet | score {study}/r0 --metric dci --resamples 0
    report {study} -o {out}/report.html --quiet | figure projection {study}/r0 -o {out}/p.png
    figure traversals {study}/r0 -o {out}/t.pdf | export {study} --to study -o {out}/copy
    export {study}/r0 --to parquet -o {out}/codes.parquet | explain {study}/r0 | probe {study}/r0
    support {study}/r0 --samples 100 --quiet | intervene {study}/r0
    likelihood {study}/r0 --data digits:binarised=0 --rows 5 --samples 5
    outliers {study}/r0 --against digits:inverted=1 --rows 100 --quiet
"""
SOME = """
    doctor {study} | compare {study} | analyze {study}/r0 --only encode,score --metric mig --resamples 0 --quiet
    report {study} -o {out}/report.html | figure kl {study}/r0 -o {out}/p.png | export {study} --to study -o {out}/copy
"""


def lay(folder: Path) -> None:
    """Write every settings file, and modules that leave a mark where they are imported."""
    for name, text in SETTINGS.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    for name in MODULES.split():
        (folder / f"{name}.py").write_text(MARK)
    (folder / ".cache").mkdir(exist_ok=True)


def watch(folder: Path) -> set[str]:
    """What is opened or listed from now on of the files that `lay` wrote."""
    own = {str(folder / name) for name in SETTINGS} | {str(folder / f"{name}.py") for name in MODULES.split()}
    places = tuple(str(folder / name) for name in (".cache", ".streamlit", ".config", ".plotly", ".matplotlib"))
    touched: set[str] = set()

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event in ("open", "os.listdir", "os.scandir") and isinstance(arguments[0], str | bytes | os.PathLike):
            path = os.path.abspath(os.fsdecode(arguments[0]))  # noqa: PTH100 - no links followed
            if path in own or path.startswith(places):
                touched.add(path)

    sys.addaudithook(hook)
    return touched


def work(study: Path, out: Path, verbs: str) -> list[str]:
    """Those verbs, in this process: each with its exit status and the last line that it said on standard error."""
    from latentlab.__main__ import main

    told = []
    for line in " | ".join(verbs.strip().splitlines()).split("|"):
        words = line.format(study=study, out=out).split()
        sys.argv = ["latentlab", *words]
        said, status = io.StringIO(), None
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(said):
            try:
                main()
            except SystemExit as error:
                status = error.code
        told.append(f"{' '.join(words[:2])}: {status} {said.getvalue().strip()[-200:]}")
    return told


def show(study: Path) -> list[str]:
    """What the dashboard's server would go by."""
    from latentlab.serving.server import Door, dashboard

    dashboard(study, Door())
    from streamlit import config
    from streamlit.runtime.secrets import secrets_singleton

    options = [config.get_option(name) for name in ("server.port", "theme.base", "client.showErrorDetails")]
    return [repr([*options, secrets_singleton.load_if_toml_exists(), os.environ.get("CANARY_FROM_SECRETS")])]


if __name__ == "__main__":
    folder, study, out = (Path(word).resolve() for word in sys.argv[1:])
    touched = watch(folder)
    print("\n".join(work(study, out, VERBS if Path.cwd() == folder else SOME) + show(study)))
    print("READ", sorted(touched))
