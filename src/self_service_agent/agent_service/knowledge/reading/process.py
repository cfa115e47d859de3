"""Reads one foreign file from standard input, in a process that may use only so much memory and time."""

import resource
import sys

import orjson

from .formats import foreign_reader
from .outcome import UnreadableDocument

MEMORY_LIMIT = 1_000_000_000
SECONDS = 20


def main() -> None:
    """Write `{"reading": …}` or `{"refused": …}` to standard output."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    try:
        outcome: dict[str, object] = {"reading": foreign_reader(sys.argv[1])(sys.stdin.buffer.read())}
    except UnreadableDocument as refusal:
        outcome = {"refused": str(refusal)}
    except MemoryError:
        outcome = {"refused": "Reading the document takes too much memory."}
    sys.stdout.buffer.write(orjson.dumps(outcome))


if __name__ == "__main__":
    main()
