"""Threads that wait for one another sleep soon, wherever latentlab computes, and as the user says where he does."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from latentlab.system.waiting import BRIEFLY

SHOW = "import os, json; print(json.dumps({k: os.environ.get(k) for k in %r}))" % [*BRIEFLY]
MAIN = (
    "import sys; sys.argv = ['latentlab', '--version']; import latentlab.__main__ as m\n"
    "try: m.main()\nexcept SystemExit: pass\n"
)
WORKER = (
    "import os, sys, json; read, write = os.pipe(); os.dup2(read, 0)\n"
    "os.write(write, json.dumps({'target': 'builtins:len', 'task': {}, 'said': '', 'stay': False}).encode() + b'\\n')\n"
    "from latentlab.system import processes\n"
    "try: processes.serve()\nexcept SystemExit: pass\n"
)
NOTEBOOK = "import latentlab as ll; ll.spin_briefly()\n"


def _seen(code: str, **variables: str) -> dict[str, str | None]:
    plain = {key: value for key, value in os.environ.items() if key not in (*BRIEFLY, "OMP_WAIT_POLICY")}
    done = subprocess.run(
        [sys.executable, "-c", code + SHOW], env={**plain, **variables}, capture_output=True, text=True, check=True
    )
    found: dict[str, str | None] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("code", [MAIN, WORKER, NOTEBOOK])
def test_the_command_line_its_workers_and_notebooks_wait_briefly(code: str) -> None:
    assert _seen(code) == BRIEFLY


@pytest.mark.parametrize("code", [MAIN, NOTEBOOK])
def test_what_the_user_says_stays(code: str) -> None:
    assert _seen(code, GOMP_SPINCOUNT="7")["GOMP_SPINCOUNT"] == "7"
    found = _seen(code, OMP_WAIT_POLICY="ACTIVE")
    assert found["GOMP_SPINCOUNT"] is None
    assert found["KMP_BLOCKTIME"] is None


def test_it_is_refused_once_a_library_has_read_the_variables() -> None:
    code = "import sys; sys.modules['torch'] = sys; import latentlab as ll\n"
    code += "try: ll.spin_briefly()\nexcept ll.LatentlabError as error: print(error, file=sys.stderr)\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "torch is imported already" in done.stderr


def test_gnu_openmp_is_what_torch_ships_on_linux_and_heeds_the_variable() -> None:
    """As GNU's library itself says, when it is asked to show its settings."""
    if sys.platform != "linux":
        pytest.skip("PyTorch brings another OpenMP there")
    code = "import latentlab as ll; ll.spin_briefly(); import torch"
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "OMP_DISPLAY_ENV": "verbose"}, capture_output=True, text=True
    )
    assert f"GOMP_SPINCOUNT = '{BRIEFLY['GOMP_SPINCOUNT']}'" in done.stderr
