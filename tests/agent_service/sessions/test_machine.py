"""Whatever two replicas do with the sessions of two people at the same time, the rules about sessions hold."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from self_service_agent.agent_service.sessions.repository import find
from self_service_agent.agent_service.sessions.retention import clean
from self_service_agent.agent_service.sessions.rules import NewSession, SessionPolicy
from self_service_agent.agent_service.sessions.service import (
    ScopeTaken,
    SessionAtWork,
    SessionExpired,
    SessionNotFound,
    Sessions,
)
from self_service_agent.kit.database import Pool, open_pool
from self_service_agent.request_manager.requests.repository import SessionUnavailable, StoredRequest, accept
from self_service_agent.shared_models.integrations import IntegrationType
from self_service_agent.shared_models.sessions import Origin, ScopePolicy, scope_policies
from self_service_agent.shared_models.users import Caller
from tests.acceptance.databases import fresh_database
from tests.agent_service.sessions.builders import LIFETIME, a_person, a_request, expire

Operation = Callable[[Pool, "World"], Coroutine[Any, Any, None]]
POLICY = SessionPolicy(lifetime=LIFETIME, scopes=scope_policies())
PEOPLE = ("alice", "bob")
OWNER = Caller(user_id="whose-session-it-is")
SCOPES = {"user": IntegrationType.WEB, "slack:C:1": IntegrationType.SLACK}

_STATES = """
    SELECT session_id, user_id, scope, total_requests, status = 'ACTIVE' AND expires_at > now() AS active,
        status = 'EXPIRED' OR expires_at <= now() AS over,
        (SELECT count(*) FROM request_logs l WHERE l.session_id = s.session_id) AS requests,
        (SELECT count(DISTINCT sequence) FROM request_logs l WHERE l.session_id = s.session_id) AS sequences
    FROM request_sessions s
"""


class World:
    """What the operations know of: people, sessions that were ever there, and those that were over."""

    def __init__(self, people: list[str]) -> None:
        self.people = people
        self.sessions: list[str] = []
        self.over: set[str] = set()
        self.deleted: set[str] = set()

    def session(self, number: int) -> str:
        return self.sessions[number % len(self.sessions)] if self.sessions else "of-nobody"


def origin_of(scope: str) -> Origin:
    return Origin(integration_type=SCOPES[scope], channel_id="C", thread_id="1")


def opening(person: int, scope: str) -> Operation:
    async def do(pool: Pool, world: World) -> None:
        policy = ScopePolicy.USER if scope == "user" else ScopePolicy.THREAD
        new = NewSession(origin=origin_of(scope), policy=policy, metadata={}, user_context={})
        with suppress(ScopeTaken):
            await Sessions(pool, POLICY).open(world.people[person], new)

    return do


def asking(person: int, scope: str) -> Operation:
    async def do(pool: Pool, world: World) -> None:
        requests = [a_request(world.people[person], scope=scope, channel_id="C", thread_id="1") for _ in range(2)]
        stored = await accept(pool, requests, lifetime=LIFETIME)
        assert all(isinstance(each, StoredRequest) and each.session_id not in world.over for each in stored), stored

    return do


def asking_in(number: int) -> Operation:
    async def do(pool: Pool, world: World) -> None:
        session = world.session(number)
        owner = (await find(pool, session) or {"user_id": world.people[0]})["user_id"]
        (outcome,) = await accept(pool, [a_request(owner, session=session)], lifetime=LIFETIME)
        assert isinstance(outcome, StoredRequest | SessionUnavailable), outcome
        assert not (isinstance(outcome, StoredRequest) and session in world.over)

    return do


def expiring(number: int) -> Operation:
    async def do(pool: Pool, world: World) -> None:
        await expire(pool, world.session(number))

    return do


def closing(number: int) -> Operation:
    async def do(pool: Pool, world: World) -> None:
        with suppress(SessionNotFound):
            await Sessions(pool, POLICY).close(world.session(number))

    return do


def resuming(number: int, scope: str) -> Operation:
    async def do(pool: Pool, world: World) -> None:
        session = await find(pool, world.session(number))
        if session is None:
            return
        try:
            await Sessions(pool, POLICY).resume(session, origin_of(scope))
        except (ScopeTaken, SessionExpired, SessionNotFound):
            return
        assert session["session_id"] not in world.over

    return do


def deleting(number: int) -> Operation:
    async def do(pool: Pool, world: World) -> None:
        session = world.session(number)
        await pool.execute("DELETE FROM event_inbox WHERE partition_key = $1", session)  # as if it were answered
        try:
            owned = {"session_id": session, "user_id": OWNER.user_id}
            await Sessions(pool, POLICY).delete(owned, caller=OWNER)
        except (SessionAtWork, SessionNotFound):
            return
        world.deleted.add(session)

    return do


def cleaning() -> Operation:
    async def do(pool: Pool, _world: World) -> None:
        await clean(pool, keep=timedelta(days=30))

    return do


_PERSON, _NUMBER, _SCOPE = st.integers(0, 1), st.integers(0, 50), st.sampled_from(list(SCOPES))
OPERATIONS = st.one_of(
    st.builds(opening, _PERSON, _SCOPE),
    st.builds(asking, _PERSON, _SCOPE),
    st.builds(asking_in, _NUMBER),
    st.builds(expiring, _NUMBER),
    st.builds(closing, _NUMBER),
    st.builds(resuming, _NUMBER, _SCOPE),
    st.builds(deleting, _NUMBER),
    st.builds(cleaning),
)


def machine_of(runner: asyncio.Runner, replicas: tuple[Pool, Pool]) -> type[RuleBasedStateMachine]:
    class Machine(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.world = World(runner.run(self._start()))

        async def _start(self) -> list[str]:
            await replicas[0].execute("TRUNCATE users, request_sessions, event_inbox, turns, delivery_logs CASCADE")
            return [await a_person(replicas[0], name) for name in PEOPLE]

        @rule(operations=st.lists(OPERATIONS, min_size=2, max_size=6))
        def at_the_same_time(self, operations: list[Operation]) -> None:
            runner.run(self._do(operations))

        async def _do(self, operations: list[Operation]) -> None:
            await asyncio.gather(*(each(replicas[n % 2], self.world) for n, each in enumerate(operations)))

        @invariant()
        def the_rules_hold(self) -> None:
            states = runner.run(replicas[0].fetch(_STATES))
            active = [(row["user_id"], row["scope"]) for row in states if row["active"]]
            assert len(active) == len(set(active))
            assert not self.world.over & {row["session_id"] for row in states if not row["over"]}
            assert not self.world.deleted & {row["session_id"] for row in states}
            assert all(row["total_requests"] == row["requests"] == row["sequences"] for row in states)
            self.world.sessions = sorted({row["session_id"] for row in states} | set(self.world.sessions))
            self.world.over |= {row["session_id"] for row in states if row["over"]}

    return Machine


def test_the_rules_about_sessions_hold_whatever_happens_at_once(migrated):
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        address = runner.run(stack.enter_async_context(fresh_database(migrated)))
        first = runner.run(stack.enter_async_context(open_pool(address, size=4)))
        second = runner.run(stack.enter_async_context(open_pool(address, size=4)))
        try:
            run_state_machine_as_test(
                machine_of(runner, (first, second)),
                settings=settings(
                    max_examples=40, stateful_step_count=15, deadline=None, database=None,
                    phases=[Phase.generate],  # making a failure smaller would take minutes
                    suppress_health_check=list(HealthCheck),
                ),
            )  # fmt: skip
        finally:
            runner.run(stack.aclose())
