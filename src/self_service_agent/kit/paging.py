"""Lists in pages: by limit and offset, or by an opaque cursor that names the last item seen."""

import base64
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, TypeVar

from fastapi import Depends, Query
from pydantic import BaseModel

from .problems import Problem

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
MAX_OFFSET = 2**31 - 1

PositionT = TypeVar("PositionT", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The part of a list that the caller wants."""

    limit: int
    offset: int


def read_window(
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT,
    offset: Annotated[int, Query(ge=0, le=MAX_OFFSET)] = 0,
) -> Window:
    """Return the window that the query string names."""
    return Window(limit=limit, offset=offset)


Page = Annotated[Window, Depends(read_window)]


def encode_cursor(position: BaseModel) -> str:
    """Return `position`, the sort keys of the last item shown, as text that fits into a query string."""
    return base64.urlsafe_b64encode(position.model_dump_json().encode()).rstrip(b"=").decode("ascii")


def decode_cursor(cursor: str, kind: type[PositionT]) -> PositionT:
    """Return the position that a cursor names, or raise a 400 `Problem` if we never wrote it."""
    try:
        document = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        return kind.model_validate_json(document)
    except ValueError as error:  # of base64 as of pydantic
        raise Problem(HTTPStatus.BAD_REQUEST, "The cursor is not one that this list gave out.") from error
