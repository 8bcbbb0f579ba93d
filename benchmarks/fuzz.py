"""Give a loader mutated files for some CPU time; what ends otherwise than it should is kept for the tests.

Run from the repository root: ``python benchmarks/fuzz.py codes [--seconds 1800]``, after ``pip install -c
constraints.txt atheris`` (Linux). A loader may return, or raise an `InputError` of one line; anything else is a find.
Finds go to ``tests/corpus/LOADER/``, named by their hash; `tests/test_corpus.py` reads them again with every test run.
Inputs are chosen by the branches that they reach (atheris, in latentlab and the standard library's parsers) and mutated
by libFuzzer and by ``tests/helpers/mutations.py``, by turns.
"""

import argparse
import hashlib
import os
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

import atheris

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

with atheris.instrument_imports(
    include=["latentlab", "tomllib", "zipfile", "gzip", "csv", "numpy.lib._format_impl", "numpy.lib._npyio_impl"]
):
    from loaders import LOADERS, problem, sound_files
    from mutations import mutated


class Loader:
    """One loader under mutated files, with its account."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.folder, self.begin = name, folder, time.process_time()
        self.inputs, self.seen, self.finds = 0, set[str](), set[str]()

    def used(self) -> float:
        """CPU seconds so far."""
        return time.process_time() - self.begin

    def give(self, content: bytes) -> None:
        """Feed it."""
        what, message = problem(self.name, content, self.folder)
        self.inputs += 1
        self.seen.add((what or message)[:40])
        kind = f"{what}: {''.join(c for c in message if c.isalpha())[:20]}"
        if what and kind not in self.finds:
            self.finds.add(kind)
            kept = kept_in(self.name) / hashlib.sha256(content).hexdigest()[:16]
            kept.write_bytes(content)
            print(f"{self.name}: {what}: {message} → {kept}", flush=True)

    def __str__(self) -> str:
        return (
            f"{self.name}: {self.used():.0f} CPU seconds, {self.inputs:,} inputs, {len(self.seen)} different messages, "
            f"{len(self.finds)} different finds"
        )


def kept_in(name: str) -> Path:
    """Where finds of a loader go."""
    folder = ROOT / "tests" / "corpus" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def several(content: bytes, chance: random.Random, sound: bytes) -> bytes:
    """Up to four mutations at once."""
    for _ in range(chance.choice((1, 1, 2, 4))):
        content = mutated(content, chance) or sound
    return content


def fuzz(loader: Loader, sound: bytes, seconds: float, seed: int, corpus: Path) -> None:
    """Mutations of whatever reached a branch that nothing had reached.

    An input that crashes the process, or takes more than half a minute, is kept by libFuzzer, which ends there.
    """
    corpus.mkdir()
    (corpus / "sound").write_bytes(sound)
    largest = max(4096, 2 * len(sound))

    def give(content: bytes) -> None:
        loader.give(content)
        if loader.inputs % 10_000 == 0:
            print(loader, flush=True)
        if loader.used() > seconds:  # libFuzzer counts the wall's seconds and does not return
            print(loader, flush=True)
            shutil.rmtree(corpus.parent)
            os._exit(0)

    def mutator(content: bytes, size: int, seed: int) -> bytes:
        chance = random.Random(seed)
        return several(content or sound, chance, sound)[:size] if seed % 2 else atheris.Mutate(content, size)

    options = ["fuzz", str(corpus), f"-max_len={largest}", f"-seed={seed + 1}", "-len_control=0"]
    options += ["-rss_limit_mb=0", "-timeout=30", "-verbosity=0", f"-artifact_prefix={kept_in(loader.name)}/"]
    atheris.Setup(options, give, custom_mutator=mutator)
    atheris.Fuzz()


def main() -> None:
    """Print CPU seconds, inputs, different messages, finds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("loader", choices=list(LOADERS))
    parser.add_argument("--seconds", type=float, default=1800)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        with atheris.instrument_imports(include=["latentlab"]):  # what is imported late
            sound = sound_files(folder / "sound")[args.loader].read_bytes()
            loader = Loader(args.loader, folder / "loader")
            loader.give(sound)
        fuzz(loader, sound, args.seconds, args.seed, folder / "corpus")


if __name__ == "__main__":
    main()
