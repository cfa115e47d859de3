"""`python -m benchmarks [NAME …] [--quick]`: the figures of the product, beside a bare baseline in the same run."""

import argparse
import asyncio
import sys

from . import accepts, conversations, deliveries, faults, handover, model_server, outage, sync, turns, wakeups

_ALL = {
    "accepts": accepts,
    "sync": sync,
    "wakeups": wakeups,
    "turns": turns,
    "conversations": conversations,
    "handover": handover,
    "deliveries": deliveries,
    "outage": outage,
}
# Not among all: it downloads a server first.
_ON_REQUEST = {"model-server": model_server}


def main() -> None:
    if sys.argv[1:2] == ["faults"]:  # has options of its own
        sys.argv.pop(1)
        sys.exit(faults.main())
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names", nargs="*", help=f"which to run: {', '.join(_ALL | _ON_REQUEST)} (default: all but the last)"
    )
    parser.add_argument("--quick", action="store_true", help="a tenth of the work, for a first look")
    given = parser.parse_args()
    for name in given.names or _ALL:
        chosen = (_ALL | _ON_REQUEST)[name]
        print(f"\n{chosen.__doc__.strip()}")
        asyncio.run(chosen.run(scale=0.1 if given.quick else 1.0))


if __name__ == "__main__":
    main()
