"""Whether this machine has what the product is made of: Python, packages, a fast event loop, a folder for its data."""

import os
import re
import shutil
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from .report import Finding, broken, ok, warning

_OLDEST = (3, 11)
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_FAST = ("uvloop", "httptools")
_ROOM_GIB = 1.0


def python() -> Finding:
    """Look at the interpreter."""
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < _OLDEST:
        return broken("Python", found, "install Python 3.11 or newer, then `make setup`")
    return ok("Python", found)


def packages() -> Finding:
    """Look for every package that the product asks for; those of the tests may be missing."""
    wanted = [text for text in requires("self-service-agent") or () if not re.search(r"extra == .test.", text)]
    missing = _missing(sorted({match[0] for text in wanted if (match := _NAME.match(text))}))
    if missing:
        return broken("packages", f"missing: {', '.join(missing)}", "run `make setup`")
    return ok("packages", f"{len(wanted)} wanted, all there")


def event_loop() -> Finding:
    """Look for the parts without which the server refuses to start."""
    missing = _missing(_FAST)
    if missing:
        return broken("event loop", f"missing: {', '.join(missing)}", "run `make setup`")
    return ok("event loop", " and ".join(_FAST))


def home(folder: Path) -> Finding:
    """Look whether data can be kept."""
    existing = next(each for each in (folder, *folder.parents) if each.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK):
        return broken("SSA_HOME", f"{existing} cannot be written", "set SSA_HOME to a folder of your own")
    free = shutil.disk_usage(existing).free / 2**30
    if free < _ROOM_GIB:
        return warning("SSA_HOME", f"{folder}, only {free:.1f} GiB free", "make room, or set SSA_HOME elsewhere")
    return ok("SSA_HOME", f"{folder}, {free:.0f} GiB free")


def _missing(names: Sequence[str]) -> list[str]:
    return [name for name in names if not _is_installed(name)]


def _is_installed(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True
