"""Plays a recorded conversation again, word by word, with today's definitions, and says what came out otherwise."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from self_service_agent.kit.http.client import Client
from self_service_agent.kit.http.egress import EgressPolicy

from .decisions import Approvers
from .door import Door
from .house import House, Plan, open_house
from .logs import Overheard
from .people import people_for
from .recordings import Recording, Said, is_write, written
from .run import Wishes

_NUMBERS = re.compile(r"\b(REQ|RITM)\d+\b|\b[0-9a-f]{8}-[0-9a-f-]{27}\b")
_ASSET = re.compile(r"\b(?:SN-)?EV\d{7}\b")


@dataclass(frozen=True, kw_only=True)
class Otherwise:
    """Something that came out otherwise; `is_end` if it is the end state."""

    what: str
    before: str
    now: str
    is_end: bool = False


async def replayed(recording: Recording, *, wishes: Wishes) -> Recording:
    """Return the conversation as it goes today, in a house of its own."""
    scenario = recording.as_scenario()
    people = people_for([scenario])
    with TemporaryDirectory(prefix="ssa-replay-") as home, Overheard().listening():
        plan = Plan(
            people=people,
            scenarios=[scenario],
            agents_folder=wishes.agents_folder,
            patience_seconds=wishes.patience.total_seconds(),
            embeds=wishes.embeds,
            models=wishes.models,
        )
        async with (
            open_house(Path(home), plan) as house,
            Client.open(policy=EgressPolicy(allow_loopback=True), user_agent="ssa-replay") as http,
        ):
            door = Door(http=http, url=house.url, person=people[scenario.id], patience=wishes.patience)
            return await _played(recording, house, http, door=door)


async def _played(recording: Recording, house: House, http: Client, *, door: Door) -> Recording:
    await house.world.of(recording.name).open_tickets(door.person)
    approvers = Approvers(house=house, http=http, door=door, patience=door.patience)
    said, mode = [], "agent"
    for each in recording.said:
        if each.decided is not None:
            told = await approvers.decide(each.decided)
        else:
            told = await door.ask(each.text, act="replay", door=each.door)
        mode = str(told.metadata.get("mode", mode))
        expects = str(told.metadata.get("expects", "nothing"))
        said.append(replace(each, answer=told.answer or "", expects=expects))
    calls = [call for call in house.tools.of(door.person.email) if is_write(call.tool, call.arguments) and call.result]
    asked_for = await approvers.asked_for() if any(each.expects == "approval" for each in said) else []
    return replace(
        recording,
        said=tuple(said),
        writes=tuple(written(call.tool, call.arguments) for call in calls),
        approvals=tuple(approval["state"] for approval in asked_for),
        mode=mode,
    )


def compared(before: Recording, now: Recording) -> tuple[Otherwise, ...]:
    """Return what came out otherwise, the end state first; names and numbers that are new each time are left out."""
    return (*_ends(before, now), *_words(before.said, now.said))


def _ends(before: Recording, now: Recording) -> Iterator[Otherwise]:
    for what in ("writes", "approvals", "mode"):
        first, second = (_plain(recording, what) for recording in (before, now))
        if first != second:
            yield Otherwise(what=what, before=first, now=second, is_end=True)


def _plain(recording: Recording, what: str) -> str:
    if what != "writes":
        return str(getattr(recording, what))
    return str([(tool, _without_name(arguments)) for tool, arguments in recording.writes])


def _without_name(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if name != "employee_name"}


def _words(before: tuple[Said, ...], now: tuple[Said, ...]) -> Iterator[Otherwise]:
    for place, (first, second) in enumerate(zip_longest(before, now), start=1):
        if first.expects != second.expects:
            yield Otherwise(what=f"turn {place} expects", before=first.expects, now=second.expects)
        if _masked(first.answer) != _masked(second.answer):
            yield Otherwise(what=f"answer {place}", before=first.answer, now=second.answer)


def _masked(text: str) -> str:
    return _ASSET.sub("#", _NUMBERS.sub("#", text))
