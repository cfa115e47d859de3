"""People as the system knows them: one id each, and the login or e-mail by which others name them."""

from dataclasses import dataclass

import asyncpg
import structlog

from self_service_agent.kit.database import Pool
from self_service_agent.kit.ids import derived_id

_NAME_LIMIT = 255

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A known person."""

    user_id: str
    login: str | None
    email: str | None

    def is_named(self, name: str) -> bool:
        """Tell whether `name` (uuid, login or e-mail, in any case) means this person."""
        if name in (self.login, self.email, self.user_id):
            return True
        folded = name.strip().casefold()
        return folded in {form.casefold() for form in (self.user_id, self.login, self.email) if form}


_FIND = """
    SELECT user_id, login, primary_email FROM users WHERE login = $1 OR primary_email = $2
    ORDER BY (login = $1) DESC NULLS LAST LIMIT 1
"""

_ADD = """
    INSERT INTO users (user_id, login, primary_email) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
"""

_COMPLETE = """
    UPDATE users SET login = coalesce(login, $2), primary_email = coalesce(primary_email, $3), updated_at = now()
    WHERE user_id = $1
"""


class UnusableName(Exception):
    """No person can be known by this login or e-mail."""


def user_id_of(name: str) -> str:
    """Return the id that a person first seen under this login or e-mail gets: the same in every service."""
    return derived_id("user", name.strip().casefold())


async def find_or_add(pool: Pool, *, login: str | None, email: str | None) -> User:
    """Return the person with this login or e-mail, added if never seen; at least one of the two is given.

    Raises `UnusableName` for one that is empty or too long.
    """
    login, email = _folded(login), _folded(email)
    for _ in range(3):
        row = await pool.fetchrow(_FIND, login, email)
        if row is None:
            await pool.execute(_ADD, user_id_of(login or email or ""), login, email)
            continue
        if (row["login"] is None and login) or (row["primary_email"] is None and email):
            await _complete(pool, row["user_id"], login=login, email=email)
        return User(user_id=row["user_id"], login=row["login"] or login, email=row["primary_email"] or email)
    raise RuntimeError(f"user {login or email} could neither be found nor added")


def _folded(name: str | None) -> str | None:
    if name is None:
        return None
    folded = name.strip().casefold()
    if not 0 < len(folded) <= _NAME_LIMIT:
        raise UnusableName(f"A login or e-mail has 1 to {_NAME_LIMIT} characters.")
    return folded


async def _complete(pool: Pool, user_id: str, *, login: str | None, email: str | None) -> None:
    try:
        await pool.execute(_COMPLETE, user_id, login, email)
    except asyncpg.UniqueViolationError:
        # A tool named the same person by that other name before, and it became a person of its own.
        log.warning("users.known_twice", user_id=user_id)
