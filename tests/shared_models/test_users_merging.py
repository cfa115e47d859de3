"""Two people who turn out to be one."""

import asyncio

import asyncpg
import orjson
import pytest

from self_service_agent.kit.database import open_pool
from self_service_agent.kit.ids import new_id
from self_service_agent.shared_models.integrations import IntegrationType
from self_service_agent.shared_models.users import find_by_identity, find_or_add, find_user, remember_identity
from tests.agent_service.sessions.builders import a_conversation, a_delivery, a_turn, ask, expire, status_of

LOGIN, EMAIL = "alice.johnson", "alice.johnson@company.com"
OWNED = (
    "request_sessions", "request_logs", "turns", "tool_calls", "delivery_logs", "user_integration_configs",
    "user_integration_mappings", "api_keys", "knowledge_readers",
)  # fmt: skip


@pytest.fixture
async def by_login(pool):
    return await find_or_add(pool, login=LOGIN, email=None)


@pytest.fixture
async def by_mail(pool, by_login):
    """Return the same person, known apart from that by e-mail."""
    user = await find_or_add(pool, login=None, email=EMAIL)
    assert user.user_id != by_login.user_id
    return user


async def as_one(pool):
    """Return the person as somebody who vouches that the two names belong together sees them."""
    return await find_or_add(pool, login=LOGIN, email=EMAIL)


async def an_override(pool, user, kind, **config):
    await pool.execute(
        "INSERT INTO user_integration_configs (user_id, integration_type, config) VALUES ($1, $2, $3)",
        user.user_id, kind, orjson.dumps(config).decode(),
    )  # fmt: skip


async def a_key(pool, user):
    await pool.execute(
        "INSERT INTO api_keys (key_id, digest, hint, name, user_id, roles, scopes, created_by, created_at)"
        " VALUES ('k', 'd', 'h', 'mine', $1, '{}', '{}', 'alice', now())",
        user.user_id,
    )
    await pool.execute("INSERT INTO knowledge_readers (user_id, groups) VALUES ($1, '{hr}')", user.user_id)


async def test_one_stays_with_both_names_and_the_former_id(pool, by_login, by_mail):
    alice = await as_one(pool)

    assert (alice.user_id, alice.login, alice.email) == (by_login.user_id, LOGIN, EMAIL)
    assert alice.aliases == {by_mail.user_id}
    assert alice.is_named(by_mail.user_id.upper())
    assert [await find_user(pool, name) for name in (LOGIN, EMAIL, by_mail.user_id)] == [alice] * 3
    assert await pool.fetchval("SELECT count(*) FROM users") == 1


async def test_everything_of_the_other_is_theirs(pool, by_login, by_mail):
    await a_conversation(pool, by_mail.user_id)
    await remember_identity(pool, by_mail, IntegrationType.SLACK, identity="U1", created_by="slack")
    await an_override(pool, by_mail, "WEBHOOK")
    await a_key(pool, by_mail)

    alice = await as_one(pool)

    owners = {table: await pool.fetchval(f"SELECT user_id FROM {table}") for table in OWNED}  # noqa: S608
    assert owners == dict.fromkeys(OWNED, alice.user_id)
    assert await find_by_identity(pool, IntegrationType.SLACK, "U1") == alice
    assert await pool.fetchval("SELECT normalized_request ->> 'user_id' FROM request_logs") == alice.user_id


async def test_requests_on_their_way_are_the_survivors(pool, by_login, by_mail):
    stored = await ask(pool, by_mail.user_id)
    await a_turn(pool, stored.session_id, stored.request_id, user_id=by_mail.user_id, status="ready")
    completed = orjson.dumps({"response": {"user_id": by_mail.user_id}}).decode()
    await pool.execute(
        "INSERT INTO event_inbox (consumer, source, event_id, type, partition_key, time, data, extensions)"
        " VALUES ('c', 's', 'e', 't', $1, now(), $2, '{}')",
        stored.session_id, completed,
    )  # fmt: skip

    await as_one(pool)

    events = await pool.fetch(
        "SELECT coalesce(data ->> 'user_id', data #>> '{response,user_id}') AS data, extensions ->> 'userid' AS who"
        " FROM event_inbox"
    )
    assert [tuple(row) for row in events] == [(by_login.user_id, by_login.user_id)] * 2
    assert await pool.fetchval("SELECT request ->> 'user_id' FROM turns") == by_login.user_id


async def test_of_two_sessions_in_one_scope_the_one_used_last_stays_open(pool, by_login, by_mail):
    older = await a_conversation(pool, by_mail.user_id)
    newer = await a_conversation(pool, by_login.user_id)
    elsewhere = await a_conversation(pool, by_mail.user_id, scope="WEB")

    alice = await as_one(pool)

    assert [await status_of(pool, each) for each in (older, newer, elsewhere)] == ["INACTIVE", "ACTIVE", "ACTIVE"]
    assert (await ask(pool, alice.user_id)).session_id == newer


async def test_an_expired_session_closes_no_other(pool, by_login, by_mail):
    older = await a_conversation(pool, by_mail.user_id)
    newer = await a_conversation(pool, by_login.user_id)
    await expire(pool, newer)

    await as_one(pool)

    assert [await status_of(pool, each) for each in (older, newer)] == ["ACTIVE", "EXPIRED"]


async def test_what_both_had_is_the_survivors(pool, by_login, by_mail):
    for user in (by_login, by_mail):
        await an_override(pool, user, "EMAIL", of=user.login)
        await ask(pool, user.user_id, scope=f"of {user.login}", idempotency_key="k", fingerprint="f")

    alice = await as_one(pool)

    assert await pool.fetchval("SELECT config ->> 'of' FROM user_integration_configs") == LOGIN
    assert await pool.fetch("SELECT scope FROM request_sessions JOIN request_logs USING (session_id)"
                            " WHERE idempotency_key = 'k'") == [(f"of {LOGIN}",)]  # fmt: skip
    assert await pool.fetchval("SELECT count(*) FROM request_logs WHERE user_id = $1", alice.user_id) == 2


async def test_a_second_login_leads_to_the_survivor(pool, by_login):
    other = await find_or_add(pool, login="ajohnson", email=EMAIL)

    alice = await as_one(pool)

    assert (alice.user_id, alice.aliases) == (by_login.user_id, {"ajohnson", other.user_id})
    assert await find_or_add(pool, login="ajohnson", email=EMAIL) == alice


async def test_a_login_with_another_mail_address_stays_apart(pool):
    alice = await find_or_add(pool, login=LOGIN, email="alice@elsewhere.com")
    other = await find_or_add(pool, login=None, email=EMAIL)

    assert await as_one(pool) == alice
    assert await find_user(pool, EMAIL) == other


async def test_who_was_merged_before_can_be_merged_again(pool, by_login, by_mail):
    alice = await as_one(pool)
    await pool.execute("UPDATE users SET login = NULL")
    again = await find_or_add(pool, login="alice", email=None)

    merged = await find_or_add(pool, login="alice", email=EMAIL)

    assert (merged.user_id, merged.aliases) == (again.user_id, {alice.user_id, by_mail.user_id})


async def test_processes_that_find_out_together_merge_once(pool, database, by_login, by_mail):
    for number in range(20):
        await a_conversation(pool, by_mail.user_id, scope=f"s{number}")

    async with open_pool(database, size=4) as elsewhere:
        seen = await asyncio.gather(*(as_one(each) for each in (pool, elsewhere) * 4))

    assert {user.user_id for user in seen} == {by_login.user_id}
    assert await pool.fetchval("SELECT count(*) FROM request_sessions WHERE user_id = $1", by_login.user_id) == 20


async def test_merging_while_both_ask_loses_no_request(pool, by_login, by_mail):
    async def keep_asking(user):
        accepted = []
        for _ in range(30):
            try:
                accepted.append(await ask(pool, user.user_id))
            except asyncpg.ForeignKeyViolationError:  # the id is a former one by now
                user = await find_user(pool, user.user_id)
        return accepted

    *accepted, alice = await asyncio.gather(keep_asking(by_login), keep_asking(by_mail), as_one(pool))

    rows = await pool.fetch("SELECT request_id FROM request_logs WHERE user_id = $1", alice.user_id)
    assert {row["request_id"] for row in rows} == {each.request_id for group in accepted for each in group}
    active = "SELECT count(*) FROM request_sessions WHERE user_id = $1 AND status = 'ACTIVE'"
    assert await pool.fetchval(active, alice.user_id) == 1


async def test_a_delivery_that_is_being_made_is_recorded_with_the_survivor(pool, by_login, by_mail):
    session = await a_conversation(pool, by_mail.user_id)
    delivery = await a_delivery(pool, session, new_id(), user_id=by_mail.user_id, status="PENDING")

    await as_one(pool)

    owner = await pool.fetchval("SELECT user_id FROM delivery_logs WHERE delivery_id = $1", delivery)
    assert owner == by_login.user_id
