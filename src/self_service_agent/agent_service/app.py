"""The agent service, put together."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from self_service_agent.eventing.bus import Binding
from self_service_agent.eventing.platform import Platform, platform_of
from self_service_agent.kit.health import health_of
from self_service_agent.kit.http.egress import EgressPolicy
from self_service_agent.kit.service import Service
from self_service_agent.kit.service_tokens import ServiceTokens
from self_service_agent.shared_models import events
from self_service_agent.shared_models.approval_links import ApprovalLinks
from self_service_agent.shared_models.events import RequestCreated

from .agents import endpoints as agents
from .agents.health import facts_of
from .agents.roster import Roster
from .agents.watching import Reloading
from .approvals import endpoints as approvals
from .approvals import pages as approval_pages
from .approvals.expiry import ApprovalExpiry
from .approvals.service import Approvals
from .flows.engine import Engine
from .guards.moderation.client import open_moderation
from .guards.provenance import check_prompts
from .handoffs import endpoints as handoffs
from .handoffs.service import Handoffs
from .knowledge import endpoints as knowledge
from .knowledge.opening import LoadingEmbedder, knowledge_facts, library_of, open_knowledge, ready
from .knowledge.service import Knowledge
from .models.opening import Means, OpenModel, open_model
from .models.settings import ModelSettings
from .sessions import endpoints as sessions
from .sessions.personal_data import endpoints as personal_data
from .sessions.personal_data.service import PersonalData
from .sessions.retention import Retention
from .sessions.service import Sessions
from .settings import AgentServiceSettings
from .telemetry import Telemetry
from .tools.opening import ToolAccess, adopt, open_toolbox, plan_of, read_agents
from .turns import endpoints as turns
from .turns.aftermath import Consequences
from .turns.definitions import DefinitionStore
from .turns.direct import DirectTurns
from .turns.handlers import queue_turns
from .turns.listening import Listeners
from .turns.progress import Progress
from .turns.reporting import TracedKnowledge
from .turns.taker import ConversationTaker
from .turns.worker import TurnTaker, TurnWorkers
from .understanding.comparing import open_rules
from .understanding.llm_prompt import TASK as UNDERSTANDING_TASK
from .understanding.opening import understander_of
from .wording.opening import wording_of
from .wording.service import TASK as WORDING_TASK

OpenTaker = Callable[[Platform], AbstractAsyncContextManager[TurnTaker]]


def agent_service(
    settings: AgentServiceSettings,
    open_taker: OpenTaker,
    *,
    links: ApprovalLinks | None = None,
    embedder: LoadingEmbedder | None = None,
) -> Service:
    """Return the service; `open_taker` decides who answers, and `links` reads those by which approvals are decided."""

    @asynccontextmanager
    async def run(app: FastAPI) -> AsyncIterator[None]:
        platform = platform_of(app)
        async with AsyncExitStack() as stack:
            taker = await stack.enter_async_context(open_taker(platform))
            await stack.enter_async_context(_answering(app, taker, settings))
            listeners = Listeners()
            workers = TurnWorkers(
                platform.pools.relaxed,
                platform.notifier,
                taker,
                policy=settings.turn_policy,
                announce=partial(platform.bus.published, events.RESPONSE_READY),
                consequences=Consequences(bus=platform.bus, notifier=platform.notifier),
                listeners=listeners,
            )
            handle = partial(queue_turns, notifier=platform.notifier, workers=workers)
            app.state.direct_turns = DirectTurns(
                platform.pools.durable, handle, listeners=listeners, patience=settings.turn_policy.patience
            )
            platform.bus.consume(
                events.AGENT_SERVICE,
                {events.REQUEST_CREATED: Binding(data=RequestCreated, handle=handle)},
                durable=False,
            )
            await stack.enter_async_context(workers.running())
            pool = platform.pools.durable
            app.state.library = library_of(pool, platform.notifier)
            app.state.knowledge = Knowledge(pool, ready(embedder))
            health_of(app).facts.append(partial(knowledge_facts, app.state.knowledge))
            app.state.sessions = Sessions(platform.pools.durable, settings.session_policy)
            app.state.personal_data = PersonalData(pool=platform.pools.durable, notifier=platform.notifier)
            app.state.handoffs = Handoffs(pool=platform.pools.durable, bus=platform.bus)
            app.state.approval_links = links
            app.state.approvals = Approvals(
                pool=platform.pools.durable, bus=platform.bus, policy=settings.approval_policy
            )
            expiry = ApprovalExpiry(platform.pools.durable, platform.bus, platform.notifier)
            await stack.enter_async_context(expiry.running())
            await stack.enter_async_context(Retention(platform.pools.durable, settings.retention_policy).running())
            yield

    return Service(
        name=events.AGENT_SERVICE,
        open=run,
        routers=(
            agents.router,
            knowledge.router,
            sessions.router,
            personal_data.router,
            approvals.router,
            approval_pages.router,
            handoffs.router,
            turns.router,
        ),
        problems={
            **knowledge.PROBLEMS,
            **sessions.PROBLEMS,
            **personal_data.PROBLEMS,
            **approvals.PROBLEMS,
            **handoffs.PROBLEMS,
        },
    )


@asynccontextmanager
async def _answering(app: FastAPI, taker: TurnTaker, settings: AgentServiceSettings) -> AsyncIterator[None]:
    """Tell which agents answer, and have them read again when that is wanted."""
    roster = app.state.roster = taker.roster if isinstance(taker, ConversationTaker) else None
    if roster is None:
        yield
        return
    app.state.reloading = reloading = Reloading(roster, platform_of(app).notifier)
    platform_of(app).health.details.append(facts_of(roster))
    folder = settings.agents_folder or shipped_agents()
    async with reloading.running(watched=folder if settings.agents_watch else None):
        yield


def conversations(
    settings: AgentServiceSettings,
    tokens: ServiceTokens,
    *,
    policy: EgressPolicy,
    models: ModelSettings | None = None,
    embedder: LoadingEmbedder | None = None,
    access: ToolAccess | None = None,
) -> OpenTaker:
    """Return what opens the real taker: definitions, engine and tools.

    Wrong definitions, and tools that cannot be called, are refused right here. Without `models` everything is done by
    rules; without `embedder` these compare texts by their words.
    """
    folder = settings.agents_folder or shipped_agents()
    making = plan_of(settings, tokens, policy=policy, access=access or ToolAccess())
    read = partial(read_agents, folder, making, default_agent_id=settings.default_agent_id)
    definitions = read()
    wanted = models or ModelSettings.model_construct()

    @asynccontextmanager
    async def open_taker(platform: Platform) -> AsyncIterator[TurnTaker]:
        telemetry = _telemetry(settings)
        means = Means(policy=policy, pool=platform.pools.durable, telemetry=telemetry)
        async with (
            open_toolbox(making) as toolbox,
            open_model(wanted, means) as model,
            open_rules(embedder, definitions) as rules,
            open_moderation(settings, policy) as moderator,
        ):
            platform.health.details.append(partial(_understanding, wanted, model))
            platform.health.details.append(toolbox.details)
            if moderator is not None:
                platform.health.details.append(moderator.details)
            adopt_tools = partial(adopt, toolbox, folder)
            await adopt_tools(definitions)
            store = DefinitionStore(platform.pools.durable)
            await store.remember(definitions)
            async with open_knowledge(
                platform.pools.durable, platform.notifier, definitions, embedder=embedder
            ) as documents:
                engine = Engine(
                    definitions,
                    understander_of(wanted, model, rules, moderator=moderator),
                    knowledge=TracedKnowledge(documents, telemetry),
                    reply_checks=(partial(check_prompts, prompts=(UNDERSTANDING_TASK, WORDING_TASK)),),
                    wording=wording_of(wanted, model, moderator=moderator),
                )
                taker = ConversationTaker(
                    platform.pools.durable,
                    engine,
                    toolbox,
                    definitions=definitions,
                    store=store,
                    progress=Progress(platform.notifier),
                    telemetry=telemetry,
                    approvals=settings.approval_policy,
                )
                library = library_of(platform.pools.durable, platform.notifier)
                taker.roster = Roster(
                    definitions, read=read, prepare=[adopt_tools, store.remember, library.keep], adopt=taker.adopt
                )
                yield taker

    return open_taker


def shipped_agents() -> Path:
    """Return the folder of the agents that come with the product, in a wheel or in a checkout."""
    package = Path(__file__).parent.parent
    installed = package / "agents"
    return installed if installed.is_dir() else package.parent.parent / "agents"


def _telemetry(settings: AgentServiceSettings) -> Telemetry:
    return Telemetry(
        prices=settings.model_prices, captures_content=settings.otel_instrumentation_genai_capture_message_content
    )


async def _understanding(settings: ModelSettings, model: OpenModel | None) -> dict[str, Any]:
    """Say for /health/detailed who understands, and what is known of the model."""
    return {"understanding": {"engine": settings.engine, "wording": settings.wording}} | (
        {"model": model.in_health()} if model else {}
    )
