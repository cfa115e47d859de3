"""Taking a turn: the engine decides, the ledger keeps its tools honest, what follows is handed back in one piece."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import orjson

from self_service_agent.agent_service.approvals.rules import ApprovalPolicy
from self_service_agent.agent_service.approvals.turning import decision_in, new_approval
from self_service_agent.agent_service.definitions.loader import Definitions
from self_service_agent.agent_service.definitions.models import AgentDefinition, Tool
from self_service_agent.agent_service.flows.checkpoints import dialogue_in
from self_service_agent.agent_service.flows.engine import Engine
from self_service_agent.agent_service.flows.tools import Tools
from self_service_agent.agent_service.flows.turns import TurnInput, TurnOutcome
from self_service_agent.agent_service.handoffs.rules import ActKind
from self_service_agent.agent_service.handoffs.turning import act_in, hand_back_of, new_handoff, reply_to
from self_service_agent.agent_service.telemetry import Telemetry
from self_service_agent.agent_service.tools.ledger import LedgeredTools, ToolCaller
from self_service_agent.kit import clock
from self_service_agent.kit.database import Pool
from self_service_agent.shared_models.requests import AgentResponse, NormalizedRequest

from .aftermath import Aftermath
from .definitions import DefinitionStore
from .progress import Progress
from .reporting import ReportedTools
from .repository import ClaimedTurn, FinishedTurn

if TYPE_CHECKING:
    from self_service_agent.agent_service.agents.roster import Roster

_APOLOGY = (
    "I am sorry: something went wrong on our side and I could not finish this. If you had just confirmed an order, it "
    "may have been placed all the same. Please quote reference {reference} when you ask the help desk."
)


class ConversationTaker:
    """Takes turns with the flow engine."""

    def __init__(  # noqa: PLR0913  # everything a turn needs
        self,
        pool: Pool,
        engine: Engine,
        caller: ToolCaller,
        *,
        definitions: Definitions,
        store: DefinitionStore,
        progress: Progress,
        telemetry: Telemetry | None = None,
        approvals: ApprovalPolicy | None = None,
    ) -> None:
        self._pool = pool
        self._engine = engine
        self._caller = caller
        self._tools = _tools_of(definitions)
        self._definitions = definitions
        self.roster: Roster | None = None
        self._store = store
        self._progress = progress
        self._telemetry = telemetry or Telemetry()
        self._approvals = approvals or ApprovalPolicy(groups={}, lifetime=timedelta(hours=72))

    def adopt(self, definitions: Definitions) -> None:
        """Answer with other definitions from the next turn on; flows in progress keep theirs."""
        self._engine.adopt(definitions)
        self._tools = _tools_of(definitions)
        self._definitions = definitions

    async def take(self, turn: ClaimedTurn) -> FinishedTurn:
        """Answer one request."""
        started = time.perf_counter()
        request = turn.request
        self._progress.say(request, "status", {"request_id": request.request_id, "status": "processing"})
        act = await act_in(self._pool, request)
        if act is not None and act["kind"] == ActKind.REPLY:
            return _told(turn, reply_to(request, act))
        given = replace(await self._input(turn), hand_back=hand_back_of(act))
        with self._telemetry.invoke_agent(self._listener(request), session_id=request.session_id) as telling:
            outcome = await self._engine.take_turn(given, self._tools_for(request, given))
            version = outcome.envelope["definition"]["version"]
            telling.answered(outcome.agent_id, version=version, failed=outcome.response_type == "error")
        self._progress.tokens(request, outcome.content)
        finished = _finished(turn, outcome, milliseconds=round((time.perf_counter() - started) * 1000))
        return replace(finished, aftermath=self._aftermath(request, outcome))

    def apologise(self, turn: ClaimedTurn) -> FinishedTurn:
        """Answer a request whose turn failed too often; the conversation stays where it was."""
        request = turn.request
        response = AgentResponse(
            request_id=request.request_id,
            session_id=request.session_id,
            user_id=request.user_id,
            agent_id=request.target_agent_id,
            content=_APOLOGY.format(reference=request.request_id),
            response_type="error",
            metadata={"engine": "none", "expects": "text"},
            created_at=clock.now(),
        )
        return FinishedTurn(
            request_id=request.request_id,
            session_id=request.session_id,
            lease_token=turn.lease_token,
            failed=True,
            agent_id=request.target_agent_id,
            definition_digest=None,
            checkpoint=None,
            pinned_digest=None,
            closes_session=False,
            response=response.model_dump_json(),
        )

    def _listener(self, request: NormalizedRequest) -> str:
        """Return the agent that is addressed, or the default one for what names none of ours."""
        addressed = self._definitions.current(request.target_agent_id) if request.target_agent_id else None
        return (addressed or self._definitions.default).id

    async def _input(self, turn: ClaimedTurn) -> TurnInput:
        decided = await decision_in(self._pool, turn.request)
        decision, digest = decided or (None, turn.pinned_digest)
        pinned = await self._store.find(digest) if digest else None
        return replace(_input(turn, pinned), approval=decision, kept=await self._kept(turn))

    async def _kept(self, turn: ClaimedTurn) -> Mapping[str, AgentDefinition]:
        """Return the definitions of all flows in progress, by their digest: each goes on under its own."""
        dialogue = dialogue_in(turn.checkpoint or {})
        digests = {frame.digest for frame in (*dialogue.stack, *dialogue.parked)} if dialogue else set()
        found = {digest: await self._store.find(digest) for digest in sorted(digests)}
        return {digest: definition for digest, definition in found.items() if definition is not None}

    def _aftermath(self, request: NormalizedRequest, outcome: TurnOutcome) -> Aftermath | None:
        asked, handoff = outcome.approval, new_handoff(outcome, request)
        if asked is None and handoff is None and not (outcome.withdrawn or outcome.took_back):
            return None
        return Aftermath(
            session_id=request.session_id,
            approval=None if asked is None else new_approval(asked, request, self._approvals),
            withdrawn=outcome.withdrawn,
            handoff=handoff,
            took_back=outcome.took_back,
        )

    def _tools_for(self, request: NormalizedRequest, given: TurnInput) -> Tools:
        kept = [*given.kept.values(), *([given.pinned] if given.pinned else [])]
        declared = _stricter(self._tools, _tools_of(kept))
        ledgered = LedgeredTools(
            self._pool,
            self._caller,
            tool_of=declared.__getitem__,
            session_id=request.session_id,
            request_id=request.request_id,
            user_id=request.user_id,
            subject=request.user_context.get("email") or request.user_context.get("login") or request.user_id,
        )
        return ReportedTools(ledgered, request, progress=self._progress, telemetry=self._telemetry)


def _tools_of(definitions: Iterable[AgentDefinition]) -> dict[str, Tool]:
    return {name: tool for definition in definitions for name, tool in definition.tools.items()}


def _stricter(current: Mapping[str, Tool], kept: Mapping[str, Tool]) -> Mapping[str, Tool]:
    """Return the tools of both; one that either takes for a writing tool is one."""
    writing = {name for name, tool in current.items() if tool.effect == "write"}
    return {
        **current,
        **{name: tool for name, tool in kept.items() if tool.effect == "write" or name not in writing},
    }


def _told(turn: ClaimedTurn, response: AgentResponse) -> FinishedTurn:
    """Return what a person said as the turn's answer; the conversation itself stays where it was."""
    return FinishedTurn(
        request_id=response.request_id,
        session_id=response.session_id,
        lease_token=turn.lease_token,
        failed=False,
        agent_id=response.agent_id,
        definition_digest=None,
        checkpoint=None,
        pinned_digest=None,
        closes_session=False,
        response=response.model_dump_json(),
    )


def _input(turn: ClaimedTurn, pinned: AgentDefinition | None) -> TurnInput:
    request = turn.request
    return TurnInput(
        request_id=request.request_id,
        session_id=request.session_id,
        user_id=request.user_id,
        user_email=request.user_context.get("email"),
        user_login=request.user_context.get("login"),
        content=request.content,
        integration_type=request.integration_type,
        target_agent_id=request.target_agent_id,
        now=request.created_at,
        checkpoint=turn.checkpoint,
        pinned=pinned,
    )


def _finished(turn: ClaimedTurn, outcome: TurnOutcome, *, milliseconds: int) -> FinishedTurn:
    request = turn.request
    response: dict[str, Any] = {
        "request_id": request.request_id,
        "session_id": request.session_id,
        "user_id": request.user_id,
        "agent_id": outcome.agent_id,
        "content": outcome.content,
        "response_type": outcome.response_type,
        "metadata": outcome.envelope,
        "processing_time_ms": milliseconds,
        "requires_followup": outcome.requires_followup,
        "followup_actions": outcome.followup_actions,
        "created_at": clock.now(),
    }
    is_unchanged = outcome.checkpoint == (turn.checkpoint or {}) and outcome.pins == turn.pinned_digest
    return FinishedTurn(
        request_id=request.request_id,
        session_id=request.session_id,
        lease_token=turn.lease_token,
        failed=False,
        agent_id=outcome.next_agent_id,
        definition_digest=outcome.envelope["definition"]["digest"],
        checkpoint=None if is_unchanged else orjson.dumps(outcome.checkpoint).decode(),
        pinned_digest=outcome.pins,
        closes_session=outcome.closes_session,
        response=orjson.dumps(response).decode(),
    )
