"""A whole run: a house, many conversations side by side, and what is to be said about all of them."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from self_service_agent.agent_service.app import shipped_agents
from self_service_agent.agent_service.definitions.loader import load_definitions
from self_service_agent.agent_service.models.settings import ModelSettings
from self_service_agent.doubles.servicenow.employees import MockEmployee
from self_service_agent.kit import clock
from self_service_agent.kit.http.client import Client
from self_service_agent.kit.http.egress import EgressPolicy
from self_service_agent.kit.settings import SettingsError, read

from .conversation import Conversation
from .gates import Gate, gates_of
from .house import House, Plan, open_house
from .judges import Finding, Ground, Metric, judge
from .knowledge import AgentFiles
from .logs import Overheard
from .people import people_for
from .phrases import PhraseBank
from .records import Record
from .scenarios import Scenario
from .scripted import knowing_script
from .trends import Effort, effort_of

SIDE_BY_SIDE = 16
_LOOPBACK = EgressPolicy(allow_loopback=True)
_UNANSWERED = "SELECT count(*) FROM request_logs WHERE response_content IS NULL"


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """How to run: settings that differ, how many conversations at once, how long to wait, and who understands.

    By default the rules do; else the model of `models`, or with `is_scripted` one that only knows the phrase bank.
    `embeds` compares meanings too where that is installed, which takes some seconds to load.
    """

    agent_service: dict[str, Any] = field(default_factory=dict)
    side_by_side: int = SIDE_BY_SIDE
    patience: timedelta = timedelta(seconds=60)
    agents_folder: Path | None = None
    models: ModelSettings | None = None
    is_scripted: bool = False
    embeds: bool = True


@dataclass(frozen=True, kw_only=True)
class Run:
    """What came of a run."""

    records: tuple[Record, ...]
    findings: tuple[Finding, ...]
    gates: tuple[Gate, ...]
    effort: Effort
    seconds: float
    engine: str

    @property
    def holds(self) -> bool:
        """Whether every gate holds."""
        return all(gate.holds for gate in self.gates)


Heard = Callable[[Record], None]


async def evaluate(
    scenarios: Sequence[Scenario], phrases: PhraseBank, *, wishes: Wishes, heard: Heard = lambda _record: None
) -> Run:
    """Play all scenarios in a house of their own and judge them; `heard` is told of each that is over."""
    began = time.monotonic()
    people = people_for(scenarios)
    overheard = Overheard()
    flows = flows_in(wishes.agents_folder or shipped_agents())
    script = knowing_script(phrases, flows, scenarios) if wishes.is_scripted else None
    with TemporaryDirectory(prefix="ssa-evaluation-") as home, overheard.listening():
        plan = Plan(
            people=people,
            scenarios=scenarios,
            agents_folder=wishes.agents_folder,
            agent_service=wishes.agent_service,
            patience_seconds=wishes.patience.total_seconds(),
            embeds=wishes.embeds,
            models=wishes.models,
            script=script,
        )
        async with open_house(Path(home), plan) as house:
            records = await played(scenarios, phrases, house=house, people=people, wishes=wishes, heard=heard)
            await overheard.read_metrics(house.url)
            overheard.note_requests([] if script is None else script.asked)
            findings = await judged(records, house, overheard)
    return summed_up(records, findings, seconds=time.monotonic() - began)


async def played(  # what a house plays, and how
    scenarios: Sequence[Scenario],
    phrases: PhraseBank,
    *,
    house: House,
    people: Mapping[str, MockEmployee],
    wishes: Wishes,
    heard: Heard = lambda _record: None,
) -> tuple[Record, ...]:
    """Play scenarios in an open house and return the records in the given order."""
    room = asyncio.Semaphore(wishes.side_by_side)
    async with Client.open(policy=_LOOPBACK, timeout=wishes.patience, user_agent="ssa-evaluate") as http:

        async def play(scenario: Scenario) -> Record:
            conversation = Conversation(
                scenario=scenario,
                person=people[scenario.id],
                house=house,
                http=http,
                phrases=phrases,
                patience=wishes.patience,
            )
            async with room:
                record = await conversation.play()
            heard(record)
            return record

        return tuple(await asyncio.gather(*(play(scenario) for scenario in scenarios)))


async def judged(records: Sequence[Record], house: House, overheard: Overheard) -> tuple[Finding, ...]:
    """Judge every record, then what belongs to none of them."""
    ground = Ground(files=AgentFiles(house.agents_folder), today=clock.now().date(), written=overheard.written)
    found = [finding for record in records for finding in judge(record, ground)]
    unanswered = await house.platform.pools.durable.fetchval(_UNANSWERED)
    known = sum(each.answer is None and each.request_id is not None for record in records for each in record.exchanges)
    if unanswered > known:
        found.append(_of_house(Metric.LOST_TURNS, f"{unanswered} accepted requests have no answer"))
    strays = house.world.elsewhere.orders
    found.extend(
        _of_house(Metric.UNSAFE_WRITES, f"{each.number} was ordered for {each.requested_for}") for each in strays
    )
    return tuple(found)


def summed_up(records: Sequence[Record], findings: Sequence[Finding], *, seconds: float) -> Run:
    """Return the run that these records and findings make."""
    engines = {
        str(each.metadata["engine"]) for record in records for each in record.answered if "engine" in each.metadata
    }
    return Run(
        records=tuple(records),
        findings=tuple(findings),
        gates=gates_of(records, findings),
        effort=effort_of(records),
        seconds=round(seconds, 1),
        engine=", ".join(sorted(engines)) or "none",
    )


def _of_house(metric: Metric, detail: str) -> Finding:
    return Finding(metric=metric, scenario_id="the whole house", detail=detail)


def flows_in(agents_folder: Path) -> dict[str, str]:
    """Return every flow of a folder of agents as `agent/flow`, by the flow's name."""
    return {flow: f"{agent.id}/{flow}" for agent in load_definitions(agents_folder) for flow in agent.flows}


def understanding_by(engine: str) -> Wishes:
    """Return the wishes for `rules`, for the configured model (`llm`), or for the `scripted` one.

    Raises `SettingsError` if no model is configured where one is wanted.
    """
    match engine:
        case "llm":
            models = read(ModelSettings)
            if models.llm_model is None:
                raise SettingsError("LLM_MODEL is not set, so there is no model to evaluate; `scripted` needs none")
            return Wishes(models=models.model_copy(update={"understander": "llm"}))
        case "scripted":
            return Wishes(is_scripted=True)
        case _:
            return Wishes()
