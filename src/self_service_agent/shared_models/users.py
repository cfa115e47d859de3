"""People as the system knows them: one id each, and every name by which others name them."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar
from uuid import UUID

import asyncpg
import structlog

from self_service_agent.kit.database import Executor, Pool, PooledConnection, finish
from self_service_agent.kit.ids import derived_id

from .integrations import IntegrationType

# Notified with a person's id when what is remembered about them elsewhere is void: they were erased or made one with
# another.
CHANGED_TOPIC: Final = "users/changed"

_NAME_LIMIT = 255
_UUID_LENGTH = 36
_STAFF = frozenset({"operator", "admin"})
_ROUNDS = 5
_PATIENCE_ROUNDS = 25
_UNKNOWN_IDENTITY = "__NOT_FOUND__"
ResultT = TypeVar("ResultT")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A known person; `aliases` are ids and logins that meant somebody else until the two were found to be one."""

    user_id: str
    login: str | None
    email: str | None
    aliases: frozenset[str] = frozenset()

    def is_named(self, name: str) -> bool:
        """Tell whether `name` (uuid, login or e-mail, in any case) means this person."""
        if name in (self.login, self.email, self.user_id):
            return True
        folded = name.strip().casefold()
        return folded in self.aliases or folded in {
            form.casefold() for form in (self.user_id, self.login, self.email) if form
        }


class Role(StrEnum):
    """What a caller may do: ask for themselves, look after others' requests, administer, or act as a tool."""

    USER = "user"
    OPERATOR = "operator"
    ADMIN = "admin"
    SERVICE = "service"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks, from which address, and what they may do beside what everybody may."""

    user_id: str
    roles: frozenset[str] = frozenset()
    address: str | None = None

    @property
    def is_admin(self) -> bool:
        return "admin" in self.roles

    @property
    def is_staff(self) -> bool:
        """Operators and administrators see what belongs to others."""
        return not self.roles.isdisjoint(_STAFF)


class UnusableName(Exception):
    """No person can be known by this login or e-mail."""


class UnknownPerson(UnusableName):
    """A uuid that is nobody's: it names a person that exists, or nobody."""


_COLUMNS = """
    u.user_id, u.login, u.primary_email,
    ARRAY(SELECT alias FROM user_aliases WHERE user_id = u.user_id) AS aliases
"""

# Each form is looked up by itself: an OR over several columns would read the whole table.
_FIND = f"""
    SELECT {_COLUMNS} FROM (
        SELECT coalesce(
            (SELECT user_id FROM users WHERE user_id = $1),
            (SELECT user_id FROM user_aliases WHERE alias = $1 AND kind = 'id'),
            (SELECT user_id FROM users WHERE login = $1),
            (SELECT user_id FROM users WHERE primary_email = $1),
            (SELECT user_id FROM user_aliases WHERE alias = $1 AND kind = 'login')
        ) AS user_id
    ) found CROSS JOIN LATERAL (SELECT * FROM users WHERE user_id = found.user_id LIMIT 1) u
"""  # noqa: S608  # the columns are our own

_FIND_BOTH = f"""
    SELECT found.form, {_COLUMNS} FROM (
        SELECT 'login' AS form, coalesce(
            (SELECT user_id FROM users WHERE login = $1),
            (SELECT user_id FROM user_aliases WHERE alias = $1 AND kind = 'login')
        ) AS user_id
        UNION ALL SELECT 'email', (SELECT user_id FROM users WHERE primary_email = $2)
    ) found CROSS JOIN LATERAL (SELECT * FROM users WHERE user_id = found.user_id LIMIT 1) u
"""  # noqa: S608  # the columns are our own

_ADD = """
    INSERT INTO users (user_id, login, primary_email) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
"""

_COMPLETE = """
    UPDATE users SET login = coalesce(login, $2), primary_email = coalesce(primary_email, $3), updated_at = now()
    WHERE user_id = $1
"""

_ADD_ALIAS = """
    INSERT INTO user_aliases (kind, alias, user_id) VALUES ($1, $2, $3)
    ON CONFLICT (alias, kind) DO NOTHING
"""

_LOCK_PERSONS = """
    SELECT user_id, login, primary_email FROM users WHERE user_id = ANY($1) ORDER BY user_id FOR UPDATE
"""

_LOCK_SESSIONS = """
    SELECT session_id, user_id FROM request_sessions WHERE user_id = ANY($1) ORDER BY session_id FOR UPDATE
"""

_END_EXPIRED = """
    UPDATE request_sessions SET status = 'EXPIRED', updated_at = now()
    WHERE user_id = ANY($1) AND status = 'ACTIVE' AND expires_at <= now()
"""

# Of two active sessions in one scope, the one that was used later stays.
_CLOSE_DOUBLES = """
    UPDATE request_sessions SET status = 'INACTIVE', version = version + 1, updated_at = now()
    WHERE session_id = ANY(ARRAY(
        SELECT CASE WHEN (coalesce(a.last_request_at, a.created_at), a.session_id)
            > (coalesce(b.last_request_at, b.created_at), b.session_id) THEN b.session_id ELSE a.session_id END
        FROM request_sessions a JOIN request_sessions b ON b.scope = a.scope
        WHERE a.user_id = $1 AND b.user_id = $2 AND a.status = 'ACTIVE' AND b.status = 'ACTIVE'))
"""

# In the order in which requests travel, so that whoever carries one on at the same time is waited for, not missed.
# $1 stays; $2 are the sessions of the one who goes.
_MOVES_OF_SESSIONS: Final = (
    """
    UPDATE event_inbox SET extensions = extensions::jsonb || jsonb_build_object('userid', $1::text),
        data = CASE WHEN data::jsonb ? 'response'
            THEN jsonb_set(data::jsonb, '{response,user_id}', to_jsonb($1::text))
            ELSE data::jsonb || jsonb_build_object('user_id', $1::text) END
    WHERE partition_key = ANY($2) AND json_typeof(data::json) = 'object'
    """,
    """
    UPDATE turns SET user_id = $1::text, request = CASE WHEN finished_at IS NOT NULL THEN request
        ELSE (request::jsonb || jsonb_build_object('user_id', $1::text))::json END
    WHERE request_id = ANY(ARRAY(SELECT request_id FROM request_logs WHERE session_id = ANY($2)))
    """,
    "UPDATE tool_calls SET user_id = $1::text WHERE session_id = ANY($2)",
    "UPDATE approvals SET user_id = $1::text WHERE session_id = ANY($2)",
    "UPDATE handoffs SET user_id = $1::text WHERE session_id = ANY($2)",
)

# $1 stays, $2 goes. An Idempotency-Key and an override that both had are the one's who stays.
_MOVES: Final = (
    "UPDATE request_sessions SET user_id = $1::text WHERE user_id = $2",
    """
    UPDATE request_logs l SET user_id = $1::text,
        normalized_request = l.normalized_request::jsonb || jsonb_build_object('user_id', $1::text),
        idempotency_key = CASE WHEN (SELECT count(*) FROM request_logs o
            WHERE o.user_id = $1::text AND o.idempotency_key = l.idempotency_key) = 0 THEN l.idempotency_key END
    WHERE l.user_id = $2
    """,
    "UPDATE delivery_logs SET user_id = $1::text WHERE user_id = $2",
    "UPDATE approvals SET decided_by = $1::text WHERE decided_by = $2",
    "UPDATE handoffs SET owner = $1::text WHERE owner = $2",
    "UPDATE handoff_acts SET author = $1::text WHERE author = $2",
    """
    UPDATE user_integration_configs SET user_id = $1::text WHERE user_id = $2
        AND integration_type <> ALL(ARRAY(SELECT integration_type FROM user_integration_configs WHERE user_id = $1))
    """,
    """
    UPDATE user_integration_mappings SET user_id = $1::text WHERE user_id = $2
        AND integration_type <> ALL(ARRAY(SELECT integration_type FROM user_integration_mappings WHERE user_id = $1))
    """,
    """
    UPDATE knowledge_readers SET user_id = $1::text
    WHERE user_id = $2 AND (SELECT count(*) FROM knowledge_readers WHERE user_id = $1) = 0
    """,
    "DELETE FROM knowledge_readers WHERE user_id = $2 AND user_id <> $1::text",
    "UPDATE api_keys SET user_id = $1::text WHERE user_id = $2",
    "UPDATE user_aliases SET user_id = $1::text WHERE user_id = $2",
)


def user_id_of(name: str) -> str:
    """Return the id that a person first seen under this login or e-mail gets: the same in every service."""
    return derived_id("user", name.strip().casefold())


async def find_user(pool: Executor, name: str) -> User | None:
    """Return the person that `name` means: a uuid (also a former one), a login or an e-mail, in any case."""
    folded = name.strip().casefold()
    row = None if "\x00" in folded else await pool.fetchrow(_FIND, folded)
    return None if row is None else _user(row)


async def find_or_add_named(pool: Pool, name: str) -> User:
    """Return the person that a trusted caller names, added if never seen.

    Raises `UnknownPerson` for a uuid that is nobody's, and `UnusableName` for what cannot be a name.
    """
    user = await find_user(pool, name)
    if user is not None:
        return user
    if _is_uuid(name.strip()):
        raise UnknownPerson("There is no person with this id.")
    return await (
        find_or_add(pool, login=None, email=name) if "@" in name else find_or_add(pool, login=name, email=None)
    )


async def find_or_add(pool: Pool, *, login: str | None, email: str | None) -> User:
    """Return the person with this login or e-mail, added if never seen; at least one of the two is given.

    Whoever gives both vouches that they belong together: two people who were known by one of them each become one.
    Raises `UnusableName` for one that is empty or too long.
    """
    login, email = _folded(login), _folded(email)
    for _ in range(_ROUNDS):
        found = {row["form"]: row for row in await pool.fetch(_FIND_BOTH, login, email)}
        if not found:
            await pool.execute(_ADD, user_id_of(login or email or ""), login, email)
        elif len(found) == 1 or found["login"]["user_id"] == found["email"]["user_id"]:
            (row, *_) = found.values()
            if await _complete(pool, row, login=login, email=email):
                return _user(row)
        elif found["login"]["primary_email"] is None:
            await _merge(pool, survivor=found["login"]["user_id"], other=found["email"]["user_id"])
        else:  # the login has another e-mail: which of the two is right is not for us to say
            log.warning("users.known_twice", user_id=found["login"]["user_id"])
            return _user(found["login"])
    raise RuntimeError("a person could neither be found nor added")


async def giving_way(pool: Pool, work: Callable[[PooledConnection], Awaitable[ResultT]]) -> ResultT:
    """Do `work` in a transaction, from the start again whenever it would have to wait long for a lock.

    It gives up waiting before PostgreSQL looks for deadlocks (1 s), so that nobody on the way of an answer loses.
    """
    for _ in range(_PATIENCE_ROUNDS):
        try:
            async with pool.acquire() as connection, connection.transaction():
                await connection.execute("SET LOCAL lock_timeout = '400ms'")
                return await work(connection)
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
            await asyncio.sleep(random.uniform(0.01, 0.1))  # noqa: S311  # jitter, not a secret
    raise TimeoutError("the rows were in use all the time")


async def find_by_identity(pool: Executor, integration_type: IntegrationType, identity: str) -> User | None:
    """Return whom a channel knows by this id."""
    if identity == _UNKNOWN_IDENTITY:
        return None
    user_id = await pool.fetchval(
        "SELECT user_id FROM user_integration_mappings WHERE integration_user_id = $1 AND integration_type = $2"
        " AND integration_user_id <> '__NOT_FOUND__'",
        identity, integration_type,
    )  # fmt: skip
    return None if user_id is None else await find_user(pool, user_id)


async def remember_identity(
    pool: Pool, user: User, integration_type: IntegrationType, *, identity: str | None, created_by: str
) -> None:
    """Store by which id a channel knows a person; None means that the channel was asked and does not know them.

    An id that was another person's is theirs no longer.
    """

    async def store(connection: PooledConnection) -> None:
        if identity is not None:
            await connection.execute(
                "DELETE FROM user_integration_mappings WHERE integration_user_id = $1 AND integration_type = $2"
                " AND integration_user_id <> '__NOT_FOUND__' AND user_id <> $3",
                identity, integration_type, user.user_id,
            )  # fmt: skip
        await connection.execute(
            "INSERT INTO user_integration_mappings AS known (user_id, user_email, integration_type,"
            " integration_user_id, last_validated_at, validation_attempts, created_by)"
            " VALUES ($1, $2, $3, $4, now(), 1, $5) ON CONFLICT (user_id, integration_type) DO UPDATE SET"
            " user_email = EXCLUDED.user_email, integration_user_id = EXCLUDED.integration_user_id,"
            " last_validated_at = now(), validation_attempts = known.validation_attempts + 1, updated_at = now()",
            user.user_id, user.email, integration_type, identity or _UNKNOWN_IDENTITY, created_by,
        )  # fmt: skip

    await finish(giving_way(pool, store))


async def _merge(pool: Pool, *, survivor: str, other: str) -> None:
    """Make two people one, unless somebody else just did: everything of `other` is the survivor's from now on."""

    async def move(connection: PooledConnection) -> bool:
        rows = {row["user_id"]: row for row in await connection.fetch(_LOCK_PERSONS, sorted((survivor, other)))}
        if len(rows) < len((survivor, other)) or rows[survivor]["primary_email"] is not None:
            return False
        sessions = await connection.fetch(_LOCK_SESSIONS, [survivor, other])
        await connection.execute(_END_EXPIRED, [survivor, other])
        await connection.execute(_CLOSE_DOUBLES, survivor, other)
        theirs = [row["session_id"] for row in sessions if row["user_id"] == other]
        for statement in _MOVES_OF_SESSIONS:
            await connection.execute(statement, survivor, theirs)
        for statement in _MOVES:
            await connection.execute(statement, survivor, other)
        await connection.execute("DELETE FROM users WHERE user_id = $1", other)
        gone = rows[other]
        await connection.execute(_COMPLETE, survivor, gone["login"], gone["primary_email"])
        await connection.execute(_ADD_ALIAS, "id", other, survivor)
        if gone["login"] is not None:
            await connection.execute(_ADD_ALIAS, "login", gone["login"], survivor)
        return True

    if await finish(giving_way(pool, move)):
        log.info("users.merged", user_id=survivor, former_user_id=other)


async def _complete(pool: Pool, row: asyncpg.Record, *, login: str | None, email: str | None) -> bool:
    """Add a name that the person was not known by; False means that there was one, so that they are read again."""
    try:
        if (login and row["login"] is None) or (email and row["primary_email"] is None):
            await pool.execute(_COMPLETE, row["user_id"], login, email)
            return False
        if login and login != row["login"] and login not in row["aliases"]:
            await pool.execute(_ADD_ALIAS, "login", login, row["user_id"])
            return False
    except asyncpg.UniqueViolationError:  # somebody else was added under that name meanwhile
        return False
    return True


def _user(row: asyncpg.Record) -> User:
    return User(
        user_id=row["user_id"], login=row["login"], email=row["primary_email"], aliases=frozenset(row["aliases"])
    )


def _folded(name: str | None) -> str | None:
    if name is None:
        return None
    folded = name.strip().casefold()
    if not 0 < len(folded) <= _NAME_LIMIT:
        raise UnusableName(f"A login or e-mail has 1 to {_NAME_LIMIT} characters.")
    return folded


def _is_uuid(name: str) -> bool:
    try:
        return len(name) == _UUID_LENGTH and bool(UUID(name))
    except ValueError:
        return False
