"""A person's data: handed out, and erased."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from self_service_agent.kit import clock
from self_service_agent.kit.ids import new_id
from self_service_agent.request_manager.requests.repository import accept
from self_service_agent.shared_models.integrations import IntegrationType
from self_service_agent.shared_models.users import CHANGED_TOPIC, find_or_add, find_user, remember_identity, user_id_of
from tests.agent_service.sessions.builders import (
    LIFETIME,
    TABLES,
    a_conversation,
    a_delivery,
    a_person,
    a_request,
    a_turn,
    ask,
    counted,
)

DATA = "/api/v1/users/{}/data"
ADMIN = {"x-caller": "admin"}


@pytest.fixture
async def alice(pool):
    """Return the id of somebody with a conversation, an override, a Slack id and a key."""
    user_id = await a_person(pool)
    await a_conversation(pool, user_id)
    await remember_identity(
        pool, await find_user(pool, user_id), IntegrationType.SLACK, identity="U1", created_by="slack"
    )
    await pool.execute(
        "INSERT INTO user_integration_configs (user_id, integration_type, config)"
        ' VALUES ($1, \'WEBHOOK\', \'{"url": "u", "token": "t"}\')',
        user_id,
    )
    await pool.execute(
        "INSERT INTO api_keys (key_id, digest, hint, name, user_id, roles, scopes, created_by, created_at)"
        " VALUES ('k', 'd', 'h', 'mine', $1, '{}', '{}', 'alice', now())",
        user_id,
    )
    await pool.execute("INSERT INTO knowledge_readers (user_id, groups) VALUES ($1, '{hr}')", user_id)
    return user_id


async def erase(api, name="alice", headers=None):
    answer = await api.delete(DATA.format(name), headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_an_export_holds_everything_and_no_secrets(api, alice):
    answer = await api.get(DATA.format("ALICE@company.com"))

    document = answer.json()
    assert (document["user"]["user_id"], document["user"]["login"]) == (alice, "alice")
    assert [each["integration_user_id"] for each in document["user"]["channel_identities"]] == ["U1"]
    assert [each["config"] for each in document["user"]["integration_configs"]] == [{"url": "u", "token": "********"}]
    assert [each["name"] for each in document["user"]["api_keys"]] == ["mine"]
    assert [each["groups"] for each in document["user"]["knowledge_groups"]] == [["hr"]]
    assert "digest" not in document["user"]["api_keys"][0]
    (session,) = document["sessions"]
    assert [each["content"] for each in session["requests"]] == ["hello"]


async def test_an_erasure_leaves_nothing_but_what_it_names(api, pool, alice):
    bob = await a_person(pool, "bob")
    await a_conversation(pool, bob)
    bobs = dict.fromkeys(TABLES, 1) | {"event_inbox": 0}

    erasure = await erase(api)

    assert await counted(pool) == bobs
    assert await counted(pool, "users", "api_keys", "user_integration_configs", "user_integration_mappings") == {
        "users": 1, "api_keys": 0, "user_integration_configs": 0, "user_integration_mappings": 0,
    }  # fmt: skip
    assert {table: count for table, count in erasure["deleted"].items() if count} == dict.fromkeys(
        ("request_sessions", "request_logs", "turns", "conversations", "tool_calls", "delivery_logs",
         "delivery_attempts", "users", "api_keys", "user_integration_configs", "user_integration_mappings",
         "knowledge_readers"), 1,
    )  # fmt: skip
    assert erasure["user_id"] == alice
    assert [(each["tool"], each["result"]) for each in erasure["done_outside"]] == [("order", {"number": "REQ1"})]
    assert "audit_log" in {each["what"] for each in erasure["remains"]}
    assert await pool.fetchrow("SELECT action, target FROM audit_log") == ("person.erased", alice)


async def test_a_repeated_erasure_finds_nothing_left(api, alice):
    await erase(api)

    again = await erase(api, headers=ADMIN)

    assert not any(again["deleted"].values())
    assert (await api.get(DATA.format("alice"), headers=ADMIN)).status_code == 404


async def test_erasures_at_the_same_moment_are_one(api, alice):
    erasures = await asyncio.gather(*(erase(api, headers=ADMIN) for _ in range(3)))

    assert sorted(each["deleted"]["users"] for each in erasures) == [0, 0, 1]


async def test_the_other_processes_are_told(api, notifier, alice):
    told = []
    notifier.listen(CHANGED_TOPIC, told.append)

    await erase(api)

    assert told == [alice]


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize(
    ("caller", "name", "status"),
    [
        ("mallory", "alice", 403),
        ("mallory", "nobody", 403),
        ("operator", "alice", 403),
        ("alice", "alice@company.com", 200),
        ("admin", "alice", 200),
    ],
)
async def test_who_may(api, alice, *, method, caller, name, status):
    assert (await api.request(method, DATA.format(name), headers={"x-caller": caller})).status_code == status


async def test_a_request_on_its_way_is_cut_off(api, pool, alice):
    on_its_way = await ask(pool, alice)
    await a_delivery(pool, on_its_way.session_id, on_its_way.request_id, user_id=alice, status="PENDING")

    erasure = await erase(api)

    assert erasure["unanswered_requests"] == 1
    assert await counted(pool) == dict.fromkeys(TABLES, 0)


async def test_an_agent_at_work_may_finish_and_acts_no_more_after_that(api, pool, alice):
    stored = await ask(pool, alice)
    lease = clock.now() + timedelta(minutes=1)
    await a_turn(pool, stored.session_id, stored.request_id, user_id=alice, status="ready", lease_until=lease)
    started = clock.now()

    await erase(api)

    assert clock.now() - started >= timedelta(milliseconds=200)
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await pool.execute(
            "INSERT INTO tool_calls (key, session_id, request_id, user_id, tool, arguments, state)"
            " VALUES ('late', $1, $2, $3, 'order', '{}', 'intended')",
            stored.session_id, stored.request_id, alice,
        )  # fmt: skip


async def test_requests_during_an_erasure_are_erased_or_refused(api, pool, alice):
    async def keep_asking():
        outcomes = []
        for number in range(30):
            request = a_request(alice, scope=f"s{number % 3}")
            try:
                outcomes += await accept(pool, [request], lifetime=LIFETIME)
            except asyncpg.ForeignKeyViolationError as error:  # the person is not there any more
                outcomes.append(error)
        return outcomes

    *outcomes, _ = await asyncio.gather(*(keep_asking() for _ in range(3)), erase(api))

    assert any(isinstance(each, Exception) for group in outcomes for each in group)
    assert await counted(pool) == dict.fromkeys(TABLES, 0)


async def test_a_former_id_leads_to_the_person_and_goes_with_them(api, pool):
    by_mail = await find_or_add(pool, login=None, email="alice@company.com")
    await find_or_add(pool, login="alice", email=None)
    await find_or_add(pool, login="alice", email="alice@company.com")
    late = await a_delivery(pool, new_id(), new_id(), user_id=by_mail.user_id, status="PENDING")

    erasure = await erase(api, by_mail.user_id)

    assert (erasure["user_id"], erasure["deleted"]["user_aliases"]) == (user_id_of("alice"), 1)
    assert await pool.fetchval("SELECT count(*) FROM delivery_logs WHERE delivery_id = $1", late) == 0


async def test_an_erasure_that_something_is_written_into_begins_again(api, alice, pool):
    await pool.execute("CREATE SEQUENCE tries")
    await pool.execute(
        """
        CREATE FUNCTION once() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF nextval('tries') = 1 THEN RAISE foreign_key_violation; END IF;
            RETURN OLD;
        END $$
        """
    )
    await pool.execute("CREATE TRIGGER once BEFORE DELETE ON users FOR EACH ROW EXECUTE FUNCTION once()")

    await erase(api)

    assert await pool.fetchval("SELECT count(*) FROM users WHERE user_id = $1", alice) == 0
    assert await pool.fetchval("SELECT count(*) FROM audit_log WHERE action = 'person.erased'") == 1
