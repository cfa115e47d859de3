"""Who may use the tools for whom."""

from self_service_agent.connectors.servicenow.values import Employee, Refused
from self_service_agent.kit.service_tokens import ServiceIdentity


class NoPerson(Refused):
    """The calling service did not say for whom it acts."""


class NotAnEmployee(Refused):
    """The person has left."""


class SomebodyElse(Refused):
    """The name is not the name of the person who asks."""


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


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())
