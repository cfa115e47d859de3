"""The kill test at length: many deaths over many seeds, each seed on a new installation.

`python -m benchmarks.faults --kills 200` asks for so many kills in all; one trial in five kills the database as well.
With `--in-flight 200`, each of them waits until that many requests are accepted and unanswered.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Iterator
from functools import reduce
from operator import add
from pathlib import Path

from tests.faults.trial import Plan, endure


def main() -> int:
    """Carry out the trials and print what came of each, then of all; 1 if a promise was broken."""
    options = _options()
    summaries = []
    broken = 0
    for plan in _plans(options):
        with tempfile.TemporaryDirectory(prefix="ssa-faults-") as home:
            try:
                summary = asyncio.run(endure(plan, Path(home)))
            except AssertionError as error:
                broken += 1
                print(f"seed {plan.seed}: BROKEN: {error}", flush=True)
                continue
        summaries.append(summary)
        print(f"seed {plan.seed}: {summary}", flush=True)
    if summaries:
        print(f"in all: {reduce(add, summaries)}; {broken} broken", flush=True)
    return 1 if broken else 0


def _plans(options: argparse.Namespace) -> Iterator[Plan]:
    """Part the kills into trials; of every five trials one also kills the database."""
    left, seed = options.kills, options.seed
    while left > 0:
        kills = min(left, options.kills_per_seed)
        yield Plan(
            seed=seed,
            kills=kills,
            kills_database=(seed - options.seed) % 5 == 4,
            longest_life=options.longest_life,
            shoppers=2 * kills,
            subscribers=kills,
            callers=options.in_flight * 3 // 2 + kills,
            in_flight=options.in_flight,
        )
        left -= kills
        seed += 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="how many deaths in all")
    parser.add_argument("--kills-per-seed", type=int, default=10, help="how many deaths of one installation")
    parser.add_argument("--seed", type=int, default=100, help="the first seed; the others follow it")
    parser.add_argument("--longest-life", type=float, default=0.4, help="seconds, at most, from ready to death")
    parser.add_argument("--in-flight", type=int, default=0, help="kill only while so many requests are in flight")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
