"""ServiceNow's tables: how they are asked for, and how their rows are read."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, BeforeValidator, ValidationError

from .values import Refused, Unavailable

# Conditions are joined by "^", so these forms are what keeps a value from adding one.
_EMAIL = re.compile(r"[^\s^=<>,;:\\\"@\x00-\x1f\x7f]+@[^\s^=<>,;:\\\"@\x00-\x1f\x7f]+")
# "javascript:" would make ServiceNow run the rest of a value.
_KEY = re.compile(r"(?!javascript:)[A-Za-z0-9._:-]{1,100}")
BUSY = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})


@dataclass(frozen=True, kw_only=True)
class Query:
    """A read: the path and its parameters."""

    path: str
    params: Mapping[str, str]


def _shown(value: object) -> object:
    return value.get("display_value") or "" if isinstance(value, dict) else value


def _stored(value: object) -> object:
    return value.get("value") or "" if isinstance(value, dict) else value


# With `sysparm_display_value=all` every field is both: names are shown to people, the rest is compared or computed.
Shown = Annotated[str, BeforeValidator(_shown)]
Stored = Annotated[str, BeforeValidator(_stored)]

RowT = TypeVar("RowT", bound=BaseModel)


class Rows(BaseModel, Generic[RowT]):
    """A table's answer."""

    result: list[RowT]


def table(name: str, conditions: Sequence[str], *, fields: type[BaseModel], limit: int) -> Query:
    """Ask for the rows of a table that meet all conditions, with the fields of a row's form."""
    columns = [field.alias or column for column, field in fields.model_fields.items()]
    params = {
        "sysparm_query": "^".join(conditions),
        "sysparm_fields": ",".join(columns),
        "sysparm_display_value": "all",
        "sysparm_limit": str(limit),
    }
    return Query(path=f"/api/now/table/{name}", params=params)


def read_rows(status: int, content: bytes, form: type[Rows[RowT]]) -> list[RowT]:
    """Read a table's answer. Rows are checked by the callers: ServiceNow drops conditions that it does not know."""
    if status in BUSY or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise Unavailable(f"http {status}")
    if status >= HTTPStatus.MULTIPLE_CHOICES:
        raise Refused(detail(status, content))
    try:
        return form.model_validate_json(content).result
    except ValidationError as error:
        # A sleeping instance answers every call with a web page.
        raise Unavailable("the answer cannot be read") from error


def detail(status: int, content: bytes) -> str:
    """Return what an error answer says."""
    try:
        answer: Any = json.loads(content)
        return f"http {status}: {answer['error']['detail']}"
    except (ValueError, KeyError, TypeError):
        return f"http {status}"


def checked_email(text: str) -> str:
    """Return an e-mail address that can stand in a condition, or raise `Refused`."""
    return checked(text, _EMAIL, "an e-mail address")


def checked_key(text: str) -> str:
    """Return an idempotency key that can stand in a condition, or raise `Refused`."""
    return checked(text, _KEY, "an idempotency key")


def checked(text: str, form: re.Pattern[str], meaning: str) -> str:
    """Return `text` if it has this form as a whole, or raise `Refused`."""
    if not form.fullmatch(text):
        raise Refused(f"not {meaning} that can be looked up")
    return text


def same(left: str, right: str) -> bool:
    """Tell whether two names mean the same, whatever their case."""
    return left.casefold() == right.casefold()
