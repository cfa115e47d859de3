"""The tables come and go, on the embedded server and on one that is reached over TCP."""

import asyncio
import sys
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr

from self_service_agent.kit.database import (
    Address,
    DatabaseSettings,
    DatabaseUnavailable,
    ensure_database,
    open_pool,
    running_postgres,
)
from self_service_agent.kit.ids import new_id
from self_service_agent.shared_models import migrate
from tests.shared_models.postgres import PASSWORD, external_server

_SSA = Path(sys.executable).with_name("ssa")
TABLES = """
    SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_name <> 'alembic_version'
"""
PROMISED = {
    "request_sessions", "request_logs", "user_integration_configs", "integration_default_configs", "delivery_logs",
    "processed_events", "users", "delivery_attempts", "turns", "tool_calls", "api_keys", "audit_log", "user_aliases",
    "user_integration_mappings", "approvals", "handoffs",
    "handoff_acts",
}  # fmt: skip


@pytest.fixture(scope="module")
def external(tmp_path_factory):
    """Yield the settings of a second server, which listens on loopback and wants a password."""
    with external_server(tmp_path_factory.mktemp("external")) as port:
        yield DatabaseSettings(
            postgres_host="127.0.0.1",
            postgres_port=port,
            postgres_db="elsewhere",
            postgres_password=SecretStr(PASSWORD),
        )


@pytest.fixture(params=["embedded", "external"])
async def address(request, *, migrated, external, tmp_path):
    """Yield the address of an empty database on either server."""
    if request.param == "embedded":
        found = replace(migrated, database=new_id())
        await ensure_database(found)
        yield found
        return
    async with running_postgres(external, tmp_path) as found:
        assert isinstance(found, Address)
        assert found.host == "127.0.0.1"
        await ensure_database(found)
        yield found


async def tables(address):
    async with open_pool(address, size=2) as pool:
        return {row["table_name"] for row in await pool.fetch(TABLES)}


async def test_every_table_comes_and_goes_and_comes_again(address):
    await migrate.upgrade(address)
    up = await tables(address)
    await migrate.upgrade(address)  # nothing is left to do
    await migrate.downgrade(address, revision="base")
    down = await tables(address)
    await migrate.upgrade(address)

    assert up >= PROMISED
    assert down == set()
    assert await tables(address) == up


async def test_processes_that_start_together_migrate_once(address, monkeypatch):
    monkeypatch.setenv("POSTGRES_HOST", address.host)
    monkeypatch.setenv("POSTGRES_PORT", str(address.port))
    monkeypatch.setenv("POSTGRES_DB", address.database)
    monkeypatch.setenv("POSTGRES_PASSWORD", address.password.get_secret_value())
    started = [await asyncio.create_subprocess_exec(_SSA, "migrate") for _ in range(3)]

    assert [await process.wait() for process in started] == [0, 0, 0]
    assert await tables(address) >= PROMISED


async def test_the_old_name_of_the_conversation_thread_is_readable(database):
    async with open_pool(database, size=2) as pool:
        await pool.execute("INSERT INTO users (user_id) VALUES ('u')")
        await pool.execute(
            "INSERT INTO request_sessions"
            " (session_id, user_id, scope, integration_type, conversation_thread_id, expires_at)"
            " VALUES ('s', 'u', 'user', 'WEB', 'thread', now())"
        )
        assert await pool.fetchval("SELECT llama_stack_session_id FROM request_sessions") == "thread"
        with pytest.raises(asyncpg.UniqueViolationError):
            await pool.execute(
                "INSERT INTO request_sessions (session_id, user_id, scope, integration_type, expires_at)"
                " VALUES ('t', 'u', 'user', 'WEB', now())"
            )


@pytest.mark.parametrize("change", [{"postgres_password": SecretStr("wrong")}, {"postgres_port": 1}])
async def test_a_refusing_server_is_named_with_the_variables_that_lead_there(external, tmp_path, change):
    async with running_postgres(external.model_copy(update=change), tmp_path) as address:
        with pytest.raises(DatabaseUnavailable, match=r"127\.0\.0\.1:.*POSTGRES_HOST.*_PASSWORD") as refused:
            await address.connect()

    assert "wrong" not in str(refused.value)
    assert PASSWORD not in str(refused.value)
