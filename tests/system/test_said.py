"""A line is said once by a program and the processes that it starts."""

import subprocess
import sys

from latentlab.system.said import first, shared


def test_what_one_process_said_no_other_says() -> None:
    assert first("before")
    folder = shared()
    ask = "import sys; from latentlab.system.said import *; join(sys.argv[1]); print([first(x) for x in sys.argv[2:]])"
    told = [
        subprocess.run([sys.executable, "-c", ask, folder, *lines], capture_output=True, text=True, check=True).stdout
        for lines in (("before", "after"), ("after", "later"))
    ]
    assert told == ["[False, True]\n", "[False, True]\n"]
    assert first("before"), "a program may repeat itself"
