"""API keys over HTTP: everybody manages their own, an administrator everybody's."""

from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from types import MappingProxyType
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Query, Response

from self_service_agent.kit import clock
from self_service_agent.kit.paging import DEFAULT_LIMIT, MAX_LIMIT, decode_cursor, encode_cursor
from self_service_agent.shared_models.calling import admitted_creation

from .dependencies import CallerDependency, Desk
from .desk import KeyWish, Place
from .errors import KeyForbidden, KeyNotChangeable, KeyNotFound, TooManyKeys, UnusableKeyWish
from .schemas import KeyCreate, KeyCreated, KeyPage, KeyRead, KeyRotate, Position, shown, shown_once

router = APIRouter(prefix="/api/v1/keys", tags=["keys"])

PROBLEMS: Final[Mapping[type[Exception], int]] = MappingProxyType(
    {
        KeyNotFound: HTTPStatus.NOT_FOUND,
        KeyForbidden: HTTPStatus.FORBIDDEN,
        KeyNotChangeable: HTTPStatus.CONFLICT,
        TooManyKeys: HTTPStatus.CONFLICT,
        UnusableKeyWish: HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)

KeyId = Annotated[str, Path(max_length=36, pattern=r"^[0-9a-f-]+$")]


async def _shown_once(response: Response) -> None:
    response.headers["cache-control"] = "no-store"


_MAKING: Final = [Depends(_shown_once), Depends(admitted_creation)]


@router.post("", status_code=HTTPStatus.CREATED, dependencies=_MAKING)
async def create_key(body: KeyCreate, caller: CallerDependency, desk: Desk) -> KeyCreated:
    """Make a key; its text is in this answer and nowhere else."""
    now = clock.now()
    wish = KeyWish(
        name=body.name,
        user=body.user,
        tool_id=body.tool_id,
        roles=body.roles,
        scopes=body.scopes,
        expires_at=body.expiry(now),
    )
    made = await desk.create(wish, caller)
    return shown_once(made.key, made.text, now)


@router.get("")
async def read_keys(
    caller: CallerDependency,
    desk: Desk,
    *,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT,
    cursor: str | None = None,
) -> KeyPage:
    """Return the caller's keys; to an administrator everybody's."""
    place = Place() if cursor is None else Place(**dict(decode_cursor(cursor, Position)))
    listing = await desk.listing(place, caller, limit=limit)
    now = clock.now()
    following = listing.next and encode_cursor(
        Position(environment=listing.next.environment, before=listing.next.before)
    )
    return KeyPage(keys=[shown(key, now) for key in listing.keys], next_cursor=following)


@router.get("/{key_id}")
async def read_key(key_id: KeyId, caller: CallerDependency, desk: Desk) -> KeyRead:
    """Return one key."""
    return shown(await desk.find(key_id, caller), clock.now())


@router.post("/{key_id}/rotate", status_code=HTTPStatus.CREATED, dependencies=_MAKING)
async def rotate_key(
    key_id: KeyId, caller: CallerDependency, desk: Desk, *, body: KeyRotate | None = None
) -> KeyCreated:
    """Make a key that takes this one's place; this one goes on working for a while."""
    overlap = timedelta(seconds=(body or KeyRotate()).overlap_seconds)
    made = await desk.rotate(key_id, overlap, caller)
    return shown_once(made.key, made.text, clock.now())


@router.delete("/{key_id}")
async def revoke_key(key_id: KeyId, caller: CallerDependency, desk: Desk) -> KeyRead:
    """Make a key useless at once and for ever; once more does nothing more."""
    return shown(await desk.revoke(key_id, caller), clock.now())
