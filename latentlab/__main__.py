"""The installed command, and ``python -m latentlab``: heed Ctrl-C, then run the command line."""

import os
import signal
import sys
import threading
import time
from types import FrameType


def main() -> None:
    """The entry point of the installed command."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not where whoever called has it ignored
        signal.signal(signal.SIGINT, _Interrupt())
    try:
        from latentlab.system.streams import let_go, open_standard, tell
        from latentlab.system.surroundings import ignore_current_folder, mend_variables
        from latentlab.system.waiting import set_waiting

        open_standard()
        ignore_current_folder()
        set_waiting()
        for said in mend_variables():
            tell(f"latentlab: {said}")
        from latentlab.cli import run

        status = run()
        let_go()
    except KeyboardInterrupt:  # before `run` had begun
        status = 130
    sys.exit(status)


class _Interrupt:
    """Ctrl-C raises `KeyboardInterrupt`, but not within an import: torch's C++ aborts where one comes out of that.

    There it waits for the import's end, and a second one ends the process.
    """

    waits = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if not _importing(frame):
            raise KeyboardInterrupt
        if self.waits:
            os._exit(130)
        self.waits = True
        threading.Thread(target=self._wait, daemon=True).start()

    def _wait(self) -> None:
        main = threading.main_thread().ident
        assert main is not None  # it runs
        while _importing(sys._current_frames().get(main)):
            time.sleep(0.02)
        self.waits = False
        signal.pthread_kill(main, signal.SIGINT)


def _importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_globals.get("__name__") == "importlib._bootstrap":
            return True
        frame = frame.f_back
    return False


if __name__ == "__main__":
    main()
