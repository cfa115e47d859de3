"""Whatever people, replicas and clocks do to an approval at once: it is decided once, and never by its requester."""

import asyncio
from contextlib import suppress
from datetime import timedelta

import hypothesis.strategies as st
from hypothesis import HealthCheck, Phase, given, settings

from self_service_agent.agent_service.approvals import repository
from self_service_agent.agent_service.approvals.expiry import ApprovalExpiry
from self_service_agent.agent_service.approvals.rules import (
    ApprovalPolicy,
    ApprovalState,
    Channel,
    Decision,
    NewApproval,
    follow_up_id,
)
from self_service_agent.agent_service.approvals.service import AlreadyDecided, ApprovalNotFound, Approvals, NotEntitled
from self_service_agent.eventing.embedded import EmbeddedBus
from self_service_agent.kit.database import Pools, open_pool
from self_service_agent.kit.ids import new_id
from self_service_agent.kit.notifications import Notifier
from self_service_agent.shared_models.events import SUBSCRIPTIONS
from tests.acceptance.databases import fresh_database
from tests.agent_service.sessions.builders import a_person, ask

POLICY = ApprovalPolicy(groups={"bosses": ("boss", "other", "alice")}, lifetime=timedelta(hours=1))
ACTS = st.one_of(
    st.tuples(st.sampled_from(["granted", "denied"]), st.sampled_from(["boss", "other", "alice", "stranger"])),
    st.tuples(st.just("cancelled"), st.sampled_from(["alice", "boss"])),
    st.tuples(st.sampled_from(["lapse", "sweep", "close", "repeat", "withdraw"]), st.just("")),
)
ROUNDS = st.lists(st.lists(ACTS, min_size=1, max_size=4), min_size=1, max_size=4)
STATE = "SELECT state, decided_by FROM approvals WHERE approval_id = $1"
FOLLOW_UPS = "SELECT count(*) FROM event_inbox WHERE event_id = $1"
AUDITED = "SELECT count(*) FROM audit_log WHERE target = $1"


class World:
    """One approval, and two replicas that know it."""

    def __init__(self, pool, people, session_id, new):
        self.pool, self.people, self.session_id, self.new = pool, people, session_id, new
        self.bus = EmbeddedBus(Pools(durable=pool, relaxed=pool), Notifier(), SUBSCRIPTIONS)
        self.replicas = [Approvals(pool=pool, bus=self.bus, policy=POLICY) for _ in range(2)]
        self.heard = []
        self.acts = 0

    async def act(self, what, who):
        self.acts += 1
        match what:
            case "granted" | "denied" | "cancelled":
                await self.decide(what, who)
            case "lapse":
                await self.pool.execute(
                    "UPDATE approvals SET expires_at = now() - interval '1 s' WHERE approval_id = $1", self.id
                )
            case "sweep":
                await ApprovalExpiry(self.pool, self.bus, Notifier()).end()
            case "close":
                await self.pool.execute(
                    "UPDATE request_sessions SET status = 'INACTIVE' WHERE session_id = $1", self.session_id
                )
            case "repeat":
                async with self.pool.acquire() as connection:
                    assert await repository.store(connection, self.new) is None
            case "withdraw":
                async with self.pool.acquire() as connection:
                    await repository.withdraw(connection, [self.id], session_id=self.session_id)

    @property
    def id(self):
        return self.new.approval_id

    async def decide(self, what, who):
        replica = self.replicas[self.acts % 2]
        decision = Decision(state=ApprovalState(what), comment=None, channel=Channel.API)
        settle = replica.cancel if what == "cancelled" else replica.decide
        decider = await replica.known_decider(self.people[who], ())
        with suppress(AlreadyDecided, NotEntitled, ApprovalNotFound):
            self.heard.append((await settle(self.id, decision, who=decider))["state"])


async def play(pool, rounds):
    people = {name: await a_person(pool, name) for name in ("alice", "boss", "other", "stranger")}
    await pool.execute("UPDATE request_sessions SET status = 'INACTIVE'")
    asked = await ask(pool, people["alice"])
    new = NewApproval(
        approval_id=new_id(), session_id=asked.session_id, request_id=asked.request_id, user_id=people["alice"],
        requester="alice", agent_id="a", flow="f", flow_instance_id=new_id(), definition_digest="d", action="x",
        arguments_digest="y", summary="something", approvers="group:bosses", names=(), lifetime=timedelta(hours=1),
    )  # fmt: skip
    async with pool.acquire() as connection:
        assert await repository.store(connection, new) is not None
    world, final = World(pool, people, asked.session_id, new), None
    for acts in rounds:
        await asyncio.gather(*(world.act(*each) for each in acts))
        found = await pool.fetchrow(STATE, world.id)
        assert final in {None, tuple(found)}, "what is decided stays decided"
        final = None if found["state"] == "pending" else tuple(found)
    await check(world, people)


async def check(world, people):
    state, decided_by = await world.pool.fetchrow(STATE, world.id)
    audited = await world.pool.fetchval(AUDITED, world.id)
    told = await world.pool.fetchval(FOLLOW_UPS, f"follow-up:{follow_up_id(world.id)}")
    assert set(world.heard) <= {state}
    if state in {"granted", "denied"}:
        assert decided_by in {people["boss"], people["other"]}
        assert (audited, told) == (1, 1)
    assert audited <= 1
    assert told == int(state in {"granted", "denied", "expired"} or audited == 1)


def test_an_approval_is_decided_once_and_never_by_who_asked(migrated):
    runner = asyncio.Runner()

    async def opened():
        stack_database = fresh_database(migrated)
        address = await stack_database.__aenter__()
        stack_pool = open_pool(address, size=6)
        return stack_database, stack_pool, await stack_pool.__aenter__()

    database, pool_context, pool = runner.run(opened())

    @settings(
        max_examples=40, deadline=None, phases=[Phase.explicit, Phase.generate],
        suppress_health_check=[HealthCheck.too_slow],
    )  # fmt: skip
    @given(rounds=ROUNDS)
    def hold(rounds):
        runner.run(play(pool, rounds))

    try:
        hold()
    finally:
        runner.run(pool_context.__aexit__(None, None, None))
        runner.run(database.__aexit__(None, None, None))
        runner.close()
