"""Reads one file that is foreign, or long, from standard input, in a process with limits of memory and time."""

import resource
import sys

import orjson

from .formats import OWN, foreign_reader
from .outcome import UnreadableDocument
from .passages import compact

MEMORY_LIMIT = 1_000_000_000
SECONDS = 20


def main() -> None:
    """Write `{"reading": …}` or `{"refused": …}` to standard output."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    try:
        read = OWN.get(sys.argv[1]) or foreign_reader(sys.argv[1])
        outcome: dict[str, object] = {"reading": compact(read(sys.stdin.buffer.read()))}
    except UnreadableDocument as refusal:
        outcome = {"refused": str(refusal)}
    except MemoryError:
        outcome = {"refused": "Reading the document takes too much memory."}
    sys.stdout.buffer.write(orjson.dumps(outcome))


if __name__ == "__main__":
    main()
