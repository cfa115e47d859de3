"""Who may use the tools for whom, and what may be asked for."""

import re
from collections.abc import Mapping

from self_service_agent.connectors.servicenow.values import Employee, Refused
from self_service_agent.kit.service_tokens import ServiceIdentity


class NoPerson(Refused):
    """The calling service did not say for whom it acts."""


class NotAnEmployee(Refused):
    """The person has left."""


class SomebodyElse(Refused):
    """The name is not the name of the person who asks."""


class NotAnItem(Refused):
    """No catalog item, and no variable of one, can have this name."""


_ITEM = re.compile(r"[A-Za-z0-9_-]{1,64}")
_VARIABLE = re.compile(r"[a-z][a-z0-9_]{0,59}")
_LONGEST_VALUE = 4000
# What says whose an order is, and which decision it follows from, is set here and nowhere else.
_OURS = frozenset({"who_is_this_request_for", "requested_for", "correlation_id", "business_justification"})


def person_behind(identity: ServiceIdentity) -> str:
    """Return the e-mail address of the person for whom the service acts, or raise `NoPerson`."""
    if not identity.subject:
        raise NoPerson("the credential names no person")
    return identity.subject


def require_active(employee: Employee) -> None:
    """Raise `NotAnEmployee` for a person who has left."""
    if not employee.active:
        raise NotAnEmployee("this person is no longer active")


def require_own_name(employee: Employee, name: str) -> None:
    """Raise `SomebodyElse` unless `name` is the person's own: full name, login or e-mail address."""
    if _plain(name) not in {_plain(own) for own in (employee.name, employee.login, employee.email)}:
        raise SomebodyElse("a laptop can be requested for oneself only")


def require_item(item: str) -> None:
    """Raise `NotAnItem` for what cannot be the name of a catalog item."""
    if not _ITEM.fullmatch(item):
        raise NotAnItem("not the name of a catalog item")


def require_own_variables(variables: Mapping[str, str]) -> None:
    """Raise `NotAnItem` for variables that an item cannot have, or that are not the caller's to set."""
    for name, value in variables.items():
        if not _VARIABLE.fullmatch(name) or name in _OURS or len(value) > _LONGEST_VALUE:
            raise NotAnItem(f"{name[:60]!r} is not a variable that can be set")


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())
