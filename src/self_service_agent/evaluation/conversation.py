"""Has one conversation: the simulated person on one side, the running system on the other."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import timedelta
from random import Random

from self_service_agent.doubles.servicenow.employees import MockEmployee
from self_service_agent.kit.http.client import Client

from .agenda import Move, Seen, SimulatedPerson
from .decisions import Approvers
from .door import Door
from .house import House
from .phrases import PhraseBank
from .records import Exchange, Record
from .scenarios import FaultSpec, Scenario, Verdict
from .world import PersonalServiceNow

_EXPIRE = "UPDATE request_sessions SET expires_at = now() - interval '1 minute' WHERE session_id = ANY($1)"


@dataclass(kw_only=True)
class Conversation:
    """One scenario being played; `play` returns its record."""

    scenario: Scenario
    person: MockEmployee
    house: House
    http: Client
    phrases: PhraseBank
    patience: timedelta = timedelta(seconds=60)
    exchanges: list[Exchange] = field(default_factory=list)
    door: str = "web"

    async def play(self) -> Record:
        """Talk until the person leaves; what goes wrong on the way is part of the record."""
        broken = None
        await self._servicenow.open_tickets(self.person)
        if self.scenario.fault is not None:
            self._break_down(self.scenario.fault)
        try:
            await self._talk()
        except Exception as error:  # noqa: BLE001  # a scenario that cannot be played is a finding, not the end of all
            broken = f"{type(error).__name__}: {error}"
        return self._record(broken, await self._approvals())

    async def _talk(self) -> None:
        simulated = SimulatedPerson(
            self.scenario, self.phrases, Random(self.scenario.id), places={"name": self.person.name}  # noqa: S311  # the same conversation each time
        )  # fmt: skip
        move: Move | None = simulated.first_move()
        while move is not None:
            seen = await self._make(move)
            if seen is None:
                return
            move = simulated.next_move(seen)

    async def _make(self, move: Move) -> Seen | None:
        """Do what the person decided, and return what they see then; None if there is nothing to go on with."""
        if move.decides is not None:
            return await self._await_decision(move.decides)
        self.door = move.door or self.door
        if move.expire:
            await self.house.platform.pools.durable.execute(_EXPIRE, [self.exchanges[-1].session_id])
        if move.fault is not None:
            self._break_down(FaultSpec(kind=move.fault))
        told = await self._say(move)
        self.exchanges.extend(told)
        last = told[-1]
        return Seen.from_metadata(last.metadata) if last.answer is not None else None

    async def _say(self, move: Move) -> list[Exchange]:
        door = self._door()
        first = door.ask(move.says, act=move.act, door=self.door)
        if move.together is not None:
            return list(await asyncio.gather(first, door.ask(move.together, act="together", door=self.door)))
        said = await first
        if not move.twice:
            return [said]
        again = await door.ask(move.says, act=move.act, door=self.door, key=said.key)
        return [replace(said, again=again.answer)]

    async def _await_decision(self, verdict: Verdict) -> Seen:
        """Let somebody else decide, and see what the person is told about it."""
        told = await self._approvers().decide(verdict)
        self.exchanges.append(told)
        return Seen.from_metadata(told.metadata)

    async def _approvals(self) -> tuple[str, ...]:
        """Return what became of everything that had to be approved."""
        if not any(each.metadata.get("expects") == "approval" for each in self.exchanges):
            return ()
        return tuple(approval["state"] for approval in await self._approvers().asked_for())

    def _approvers(self) -> Approvers:
        return Approvers(house=self.house, http=self.http, door=self._door(), patience=self.patience)

    def _door(self) -> Door:
        return Door(http=self.http, url=self.house.url, person=self.person, patience=self.patience)

    @property
    def _servicenow(self) -> PersonalServiceNow:
        return self.house.world.of(self.scenario.id)

    def _break_down(self, fault: FaultSpec) -> None:
        self._servicenow.break_down(fault)
        self.house.tools.break_down(self.person.email, fault)

    def _record(self, broken: str | None, approvals: tuple[str, ...]) -> Record:
        return Record(
            scenario=self.scenario,
            person=self.person,
            exchanges=tuple(self.exchanges),
            orders=self._servicenow.orders,
            comments=self._servicenow.comments,
            tool_calls=tuple(self.house.tools.of(self.person.email)),
            approvals=approvals,
            broken=broken,
        )
