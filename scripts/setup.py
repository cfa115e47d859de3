"""Builds `.venv` from `requirements.lock` with nothing but Python 3.11 and pip on the machine."""

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"


def main() -> None:
    started = time.monotonic()
    if sys.version_info < (3, 11):
        sys.exit(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}. Try: make PYTHON=python3.11 setup")
    if not PYTHON.exists():
        say("making .venv")
        # Debian ships venv without ensurepip: the machine's own pip installs into the new environment instead.
        run(sys.executable, "-m", "venv", "--without-pip", str(VENV))
    say("installing uv")
    run(sys.executable, "-m", "pip", "--python", str(PYTHON), "install", "--quiet", "uv")
    uv = str(VENV / "bin" / "uv")
    target = ("--python", str(PYTHON))
    say("installing the pinned packages (about 100; the first time takes a minute)")
    lock = str(ROOT / "requirements.lock")
    run(uv, "pip", "sync", "--quiet", "--require-hashes", "--compile-bytecode", *target, lock)
    run(uv, "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", *target, "--editable", str(ROOT))
    (VENV / "ready").touch()
    say(f"ready in {time.monotonic() - started:.0f} s")


def run(*command: str) -> None:
    try:
        subprocess.run(command, check=True)
    except (subprocess.CalledProcessError, OSError) as error:
        sys.exit(f"setup: this command failed: {' '.join(command)}\n{error}")


def say(text: str) -> None:
    print(f"setup: {text}", flush=True)


if __name__ == "__main__":
    main()
