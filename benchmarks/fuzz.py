"""Give each loader mutated files for some CPU time; what ends otherwise than it should is kept for the tests.

Run from the repository root: ``python benchmarks/fuzz.py [--seconds 1800] [--loader codes …]``. A loader may return, or
raise an `InputError` of one line; anything else is a find. Finds go to ``tests/corpus/LOADER/``, named by their hash;
`tests/test_corpus.py` reads them again with every test run. Mutations are those of ``tests/mutations.py``, up to four
at once, of sound files and of mutated ones that gave a message not seen before.
"""

import argparse
import hashlib
import random
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from loaders import LOADERS, problem, sound_files  # noqa: E402
from mutations import mutated  # noqa: E402


def main() -> None:
    """Print a line a loader: CPU seconds, inputs, different messages, finds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1800)
    parser.add_argument("--loader", nargs="*", default=list(LOADERS))
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        seeds = sound_files(Path(scratch) / "sound")
        for name in args.loader:
            fuzz(name, seeds[name].read_bytes(), Path(scratch) / name, args.seconds, args.seed)


def fuzz(name: str, sound: bytes, folder: Path, seconds: float, seed: int) -> None:
    """Feed one loader."""
    chance, pool, seen = random.Random(f"{name} {seed}"), [sound], set()
    begin, inputs, finds = time.process_time(), 0, 0
    while time.process_time() - begin < seconds:
        content = chance.choice(pool)
        for _ in range(chance.choice((1, 1, 2, 4))):
            content = mutated(content, chance) or sound
        what, message = problem(name, content, folder)
        inputs += 1
        if what:
            kept = ROOT / "tests" / "corpus" / name / hashlib.sha256(content).hexdigest()[:16]
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_bytes(content)
            finds += 1
            print(f"{name}: {what}: {message} → {kept}", flush=True)
        elif message[:40] not in seen and len(pool) < 500:
            seen.add(message[:40])
            pool.append(content)
    used = time.process_time() - begin
    print(
        f"{name}: {used:.0f} CPU seconds, {inputs:,} inputs, {len(seen)} different messages, {finds} finds", flush=True
    )


if __name__ == "__main__":
    main()
