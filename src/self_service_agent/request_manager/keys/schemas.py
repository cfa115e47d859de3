"""What the key endpoints take and give."""

from datetime import datetime, timedelta
from typing import Annotated, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, model_validator

from self_service_agent.shared_models.requests import ShortText, UserId
from self_service_agent.shared_models.users import Role

from .rules import ApiKey, KeyState, Origin, Scope

_LONGEST_OVERLAP = timedelta(days=30)
_MOST_DAYS = 3650
_LAST_YEAR = 9000  # calculating with later ones would fail


def _soon_enough(moment: datetime) -> datetime:
    if moment.year > _LAST_YEAR:
        raise ValueError(f"must be before the year {_LAST_YEAR + 1}")
    return moment


class Position(BaseModel):
    """The last key of a page."""

    environment: Annotated[int, Field(ge=0)]
    before: Annotated[str, Field(pattern=r"^[0-9a-f-]{36}$")] | None


class KeyCreate(BaseModel):
    """A key for the caller, or for the person (uuid, login or e-mail) or tool that is named; no scopes: no limit."""

    name: Annotated[ShortText, Field(min_length=1)]
    user: UserId | None = None
    tool_id: Annotated[ShortText, Field(min_length=1)] | None = None
    roles: frozenset[Role] | None = None
    scopes: frozenset[Scope] = frozenset()
    expires_at: Annotated[AwareDatetime, AfterValidator(_soon_enough)] | None = None
    lifetime_days: Annotated[int, Field(ge=1, le=_MOST_DAYS)] | None = None

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        if self.expires_at is not None and self.lifetime_days is not None:
            raise ValueError("give expires_at or lifetime_days, not both")
        return self

    def expiry(self, now: datetime) -> datetime | None:
        return self.expires_at if self.lifetime_days is None else now + timedelta(days=self.lifetime_days)


class KeyRotate(BaseModel):
    """For how long the old key goes on working."""

    overlap_seconds: Annotated[int, Field(ge=0, le=int(_LONGEST_OVERLAP.total_seconds()))] = 86_400


class KeyPerson(BaseModel):
    """The person a key belongs to."""

    user_id: str | None
    login: str | None
    email: str | None


class KeyRead(BaseModel):
    """A key, of which only the first characters are shown."""

    key_id: str
    hint: str
    name: str
    origin: Origin
    state: KeyState
    user: KeyPerson | None
    tool_id: str | None
    roles: list[Role]
    scopes: list[Scope]
    created_by: str | None
    created_at: datetime | None
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None
    replaced_by: str | None


class KeyCreated(KeyRead):
    """A new key with its text, which is shown this once."""

    key: str


class KeyPage(BaseModel):
    """Keys, those of the environment first, then newest first; and the cursor of the next page if there is one."""

    keys: list[KeyRead]
    next_cursor: str | None


def shown(key: ApiKey, now: datetime) -> KeyRead:
    owner = key.owner
    person = None if owner.tool_id else KeyPerson(user_id=owner.user_id, login=owner.login, email=owner.email)
    return KeyRead(
        key_id=owner.key_id,
        hint=key.hint,
        name=key.name,
        origin=key.origin,
        state=key.state(now),
        user=person,
        tool_id=owner.tool_id,
        roles=sorted(owner.roles),
        scopes=sorted(owner.scopes),
        created_by=key.created_by,
        created_at=key.created_at,
        expires_at=key.expires_at,
        last_used_at=key.last_used_at,
        revoked_at=key.revoked_at,
        replaced_by=key.replaced_by,
    )


def shown_once(key: ApiKey, text: str, now: datetime) -> KeyCreated:
    """Return a new key with its text."""
    return KeyCreated(**dict(shown(key, now)), key=text)
