"""The table of environment variables is the settings classes, no more and no less."""

import importlib
import re
from collections import defaultdict
from dataclasses import fields
from typing import Any

import pytest
from pydantic import SecretStr
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

from self_service_agent.integration_dispatcher.preferences.defaults import DefaultChange
from tests.docs.pages import GUIDES, ROOT, rows, section

_SOURCE = ROOT / "src"
_DEFINES_SETTINGS = re.compile(r"^class \w+\((?:\w+, )*\w*Settings\):", re.MULTILINE)
_OPTION = re.compile(r'envvar="(\w+)"')
_FOR_EACH_TYPE = {f"INTEGRATION_DEFAULTS_<TYPE>_{field.name.upper()}" for field in fields(DefaultChange)}


def documented() -> dict[str, str]:
    """Return the default that the operations guide gives for each variable."""
    table = rows(section(GUIDES / "operations.md", "Environment variables"))
    return {cells[0].strip("`"): cells[1].strip("`") for cells in table if cells[0].startswith("`")}


@pytest.fixture(scope="module")
def read() -> dict[str, set[str]]:
    """The defaults that the settings classes give each variable they read."""
    for path in _SOURCE.rglob("*.py"):
        if _DEFINES_SETTINGS.search(path.read_text("utf-8")):
            importlib.import_module(".".join(path.relative_to(_SOURCE).with_suffix("").parts))
    found = defaultdict(set)
    for kind in _descendants(BaseSettings):
        # The classes made at run time, for each channel or with what is known then, have no file of their own.
        if kind.__module__.startswith("self_service_agent.") and hasattr(
            importlib.import_module(kind.__module__), kind.__name__
        ):
            for name, field in kind.model_fields.items():
                found[name.upper()].add(_shown(field.default))
    return found


def test_every_variable_that_is_read_is_documented_and_the_other_way_round(read):
    options = {name for path in _SOURCE.rglob("*.py") for name in _OPTION.findall(path.read_text("utf-8"))}

    assert set(documented()) == read.keys() | options | _FOR_EACH_TYPE


def test_every_documented_default_is_the_one_that_holds(read):
    wrong = {name: default for name, default in documented().items() if name in read and default not in read[name]}

    assert wrong == {}


def test_every_variable_of_the_readme_is_in_the_table():
    named = re.findall(r"`([A-Z][A-Z0-9_]+)`", section(ROOT / "README.md", "Configuration"))

    assert [name for name in named if name not in documented()] == []


def _descendants(kind: type) -> set[type[BaseSettings]]:
    children = set(kind.__subclasses__())
    return children.union(*map(_descendants, children))


def _shown(default: Any) -> str:
    """Return a default as the table shows it."""
    match default:
        case SecretStr():
            return default.get_secret_value()
        case bool():
            return str(default).lower()
        case int():
            return str(default)
        case float():
            return f"{default:g}"
        case str():
            return default
        case _ if default is PydanticUndefined or not default:
            return ""
    raise AssertionError(default)
