"""Settings: what the environment says, read once when a service starts."""

import re
from typing import TypeVar

import pydantic_settings
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from .validation import complaint

_FIELD = re.compile(r'field "(\w+)"')


class SettingsError(Exception):
    """The environment does not make sense; the message names each variable and what is wrong with it."""


class Settings(BaseSettings):
    """The parent of all settings: a field is the variable of the same name, and an empty variable is an unset one."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_ignore_empty=True, hide_input_in_errors=True)


SettingsT = TypeVar("SettingsT", bound=Settings)


def read(kind: type[SettingsT]) -> SettingsT:
    """Return the settings that the environment holds, or raise `SettingsError`."""
    # The causes are dropped because they hold the values, among them secrets.
    try:
        return kind()
    except ValidationError as error:
        raise SettingsError("; ".join(map(_sentence, error.errors()))) from None
    except pydantic_settings.SettingsError as error:
        match = _FIELD.search(str(error))
        raise SettingsError(f"{match[1].upper() if match else 'a variable'} is not valid JSON") from None


def _sentence(error: ErrorDetails) -> str:
    if not error["loc"]:  # the variables together are wrong, and the validator that says so names them
        return complaint(error)
    if error["type"] == "missing":
        return f"{_variable(error)} is not set"
    return f"{_variable(error)}: {complaint(error)}"


def _variable(error: ErrorDetails) -> str:
    """Return the variable's name and, for one that holds JSON, the place in it."""
    name, *path = map(str, error["loc"])
    return ".".join([name.upper(), *path])
