"""The kill test at length: many deaths over many seeds, each seed on a new installation.

`python -m benchmarks.faults --kills 200` asks for so many kills in all; one trial in five kills the database as well.
With `--in-flight 200`, each of them waits until that many requests are accepted and unanswered.
`--steps` kills the process once at every step of every turn of the laptop flow instead, and prints what was left.
"""

import argparse
import asyncio
import logging
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import reduce
from operator import add
from pathlib import Path

from self_service_agent.kit.database import Address, DatabaseSettings, running_postgres
from self_service_agent.shared_models import migrate
from tests.faults.steps import MOMENTS, Moment, struck_at
from tests.faults.trial import Plan, endure


def main() -> int:
    """Carry out the trials and print what came of each, then of all; 1 if a promise was broken."""
    options = _options()
    if options.steps:
        return asyncio.run(_strike_every_step())
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


async def _strike_every_step() -> int:
    """Print the matrix of steps and results; 1 if anything was lost or doubled."""
    logging.disable(logging.INFO)  # the peers would tell of every mail between the lines of the matrix
    broken = 0
    print(f"{'killed at':<72}answers tickets deliveries order sent  turns again  result", flush=True)
    with tempfile.TemporaryDirectory(prefix="ssa-steps-") as home:
        async with running_postgres(DatabaseSettings(postgres_host=None), Path(home)) as address:
            await migrate.upgrade(address)
            for number, moment in enumerate(MOMENTS):
                folder = Path(home) / f"step-{number}"
                folder.mkdir()
                async with _fresh(address, f"step_{number}") as database:
                    broken += await _strike(moment, database, folder)
    print(f"{len(MOMENTS)} steps, {broken} broken", flush=True)
    return 1 if broken else 0


async def _strike(moment: Moment, database: Address, folder: Path) -> int:
    try:
        left = await struck_at(moment, database, folder)
    except AssertionError as error:
        print(f"{moment!s:<72}BROKEN: {error}", flush=True)
        return 1
    found = left.summary
    counts = f"{found.answers:>7} {found.tickets:>7} {found.deliveries:>10} {left.writes:>10} {found.retaken:>12}"
    print(f"{moment!s:<72}{counts}  {'ok' if left.is_right else 'BROKEN'}", flush=True)
    return int(not left.is_right)


@asynccontextmanager
async def _fresh(migrated: Address, name: str) -> AsyncIterator[Address]:
    """Yield a database of its own that holds the tables and nothing else."""
    admin = await migrated.connect(database="postgres")
    await admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{migrated.database}" STRATEGY wal_log')
    yield replace(migrated, database=name)
    await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    await admin.close()


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
    parser.add_argument("--steps", action="store_true", help="kill once at every step of the laptop flow instead")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
