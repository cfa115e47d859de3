"""What happens before a command does its work: its settings, its place on disk, and how it says what went wrong."""

import logging as standard_logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, NoReturn

import typer

from self_service_agent.agent_service.definitions.errors import DefinitionError
from self_service_agent.doubles.servicenow.files import BrokenStateFile
from self_service_agent.kit import logging
from self_service_agent.kit.database import DatabaseUnavailable
from self_service_agent.kit.embedded_postgres import EmbeddedPostgresError
from self_service_agent.kit.settings import SettingsError, read

from .ports import PortTaken
from .settings import HouseSettings

_EXPECTED = (SettingsError, PortTaken, DatabaseUnavailable, EmbeddedPostgresError, DefinitionError, BrokenStateFile)
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@contextmanager
def explained() -> Iterator[None]:
    """End with one line instead of a traceback when the surroundings are at fault."""
    try:
        yield
    except _EXPECTED as error:
        fail(str(error))
    except ExceptionGroup as group:  # what stops a start arrives wrapped by the tasks that were running already
        found, others = group.split(_EXPECTED)
        if found is None or others is not None:
            raise
        fail(str(_first(found)))


def fail(message: str) -> NoReturn:
    """Say what is wrong and end the command."""
    sys.stderr.write(f"ssa: {' '.join(message.split())}\n")
    raise typer.Exit(1) from None


def say(text: str) -> None:
    """Tell a person at a terminal how the start goes; a log file does not need it."""
    if sys.stderr.isatty():
        sys.stderr.write(f"ssa: {text} …\n")
        sys.stderr.flush()


def house_settings(bind: str | None) -> HouseSettings:
    """Read the settings; on loopback, and unless somebody decided otherwise, this is a development installation."""
    settings = read(HouseSettings)
    if bind is not None:
        settings = settings.model_copy(update={"ssa_bind": bind})
    if "ssa_env" not in settings.model_fields_set and settings.ssa_bind in _LOOPBACK:
        settings = settings.model_copy(update={"ssa_env": "development"})
    if settings.is_development and settings.ssa_bind not in _LOOPBACK:
        raise SettingsError(
            f"SSA_ENV: development has keys that everybody knows and must not answer on {settings.ssa_bind}; "
            "bind to 127.0.0.1, or set SSA_ENV=production"
        )
    return settings


def settled(bind: str | None) -> HouseSettings:
    """Return the settings once there is a folder for the data and the logs are set up."""
    settings = house_settings(bind)
    _make_home(settings)
    logging.configure(level=settings.log_level, format=_format(settings))
    # It would log every statement of a migration.
    standard_logging.getLogger("sqlalchemy").setLevel(standard_logging.WARNING)
    return settings


def refuse_stand_ins(settings: HouseSettings) -> None:
    """Raise `SettingsError` if several processes would each have a ServiceNow or a mailbox of their own."""
    if settings.is_development and not (settings.servicenow_instance_url and settings.smtp_host):
        raise SettingsError(
            "SERVICENOW_INSTANCE_URL, SMTP_HOST: the stand-ins of development live in one process; name a ServiceNow "
            "(such as `ssa serve mock-servicenow`) and a mail server that all workers share"
        )


def _make_home(settings: HouseSettings) -> None:
    try:
        settings.ssa_home.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"SSA_HOME: the folder {settings.ssa_home} cannot be made: {error.strerror}") from error


def _format(settings: HouseSettings) -> Literal["json", "console"]:
    if "log_format" in settings.model_fields_set or not sys.stderr.isatty():
        return settings.log_format
    return "console"


def _first(group: ExceptionGroup[Exception]) -> Exception:
    inner = group.exceptions[0]
    return _first(inner) if isinstance(inner, ExceptionGroup) else inner
