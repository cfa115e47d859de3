"""The real command in processes of its own."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager

from self_service_agent.cli.settings import clean_environment

PATIENCE_SECONDS = 60


def started(*arguments, home, stdin=None, stdout=None, stderr=None, **variables):
    """Start the command; `variables` are its environment beside what every process needs."""
    return subprocess.Popen(  # noqa: S603  # our own command
        [sys.executable, "-m", "self_service_agent.cli", *arguments],
        env={**clean_environment(home), **variables},
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
    )


def ssa(*arguments, home, text="", **variables):
    """Run the command to its end."""
    pipe = subprocess.PIPE
    process = started(*arguments, home=home, stdin=pipe, stdout=pipe, stderr=pipe, **variables)
    output, errors = process.communicate(text.encode(), PATIENCE_SECONDS)
    return subprocess.CompletedProcess(arguments, process.returncode, output.decode(), errors.decode())


@contextmanager
def serving(*arguments, home, **variables):
    """Yield the address of a server that runs until the end, when SIGTERM must end it with success."""
    path = home / f"{arguments[-1]}.log"
    with path.open("wb") as log:
        process = started(*arguments, "--port", "0", home=home, stdout=subprocess.PIPE, stderr=log, **variables)
        try:
            line = process.stdout.readline().decode()  # empty if the process ends
            assert line.startswith("ready http://127.0.0.1:"), path.read_text()
            yield line.removeprefix("ready ").strip()
        finally:
            os.kill(process.pid, signal.SIGTERM)
            process.stdout.close()
            code = process.wait(PATIENCE_SECONDS)
    assert code == 0
