"""Takes turns: the one door through which the rest of the agent service uses flows."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import structlog

from self_service_agent.agent_service.definitions.loader import Definitions
from self_service_agent.agent_service.definitions.models import AgentDefinition
from self_service_agent.agent_service.guards.incoming import MessageRefused, tidy
from self_service_agent.agent_service.guards.injection import is_blatant_injection
from self_service_agent.agent_service.guards.outgoing import ReplyCheck, ReplyRefused, check_reply
from self_service_agent.agent_service.guards.provenance import check_provenance
from self_service_agent.agent_service.knowledge.in_memory import DefinedKnowledge
from self_service_agent.agent_service.understanding.catalogue import Catalogue, catalogue_of
from self_service_agent.agent_service.understanding.context import Understander
from self_service_agent.agent_service.wording.service import Wording

from .approvals import waiting_approvals
from .checkpoints import CheckpointSlot, config_for, dialogue_in
from .dialogue import Dialogue
from .envelope import envelope, follow_ups, reply_text, speaker_part
from .graph import TurnContext, build_graph
from .questions import Knowledge
from .rewording import reword
from .sources import defined_in, said_in
from .stage import Stage
from .tools import Tools
from .turns import Transcript, TurnInput, TurnOutcome

log = structlog.get_logger(__name__)


class Engine:
    """Answers one message at a time; everything it knows of a conversation is in the checkpoint it is given."""

    def __init__(
        self,
        definitions: Definitions,
        understander: Understander,
        *,
        knowledge: Knowledge | None = None,
        reply_checks: Sequence[ReplyCheck] = (),
        wording: Wording | None = None,
    ) -> None:
        self._definitions = definitions
        self._understander = understander
        self._knowledge = knowledge or DefinedKnowledge(definitions)
        self._reply_checks = tuple(reply_checks)
        self._catalogues = _catalogues(definitions)
        self._wording = wording
        self._graph = build_graph()

    def adopt(self, definitions: Definitions) -> None:
        """Answer with other definitions from the next turn on; a turn that has begun keeps those it began with."""
        self._catalogues, self._definitions = _catalogues(definitions), definitions
        if isinstance(self._knowledge, DefinedKnowledge):
            self._knowledge = DefinedKnowledge(definitions)

    async def take_turn(self, turn: TurnInput, tools: Tools) -> TurnOutcome:
        """Answer one message; what it raises is a fault of ours, and nothing is to be stored then."""
        agent = self._listener(turn)
        if agent is None:
            return _plain(turn, self._definitions.default, f"There is no agent {turn.target_agent_id}.", error=True)
        try:
            content = tidy(turn.content) if turn.is_message else ""
        except MessageRefused as refusal:
            return _plain(turn, agent, refusal.reason, error=True)
        if agent.only_echoes and agent.say is not None:
            return _plain(turn, agent, agent.say.render({"content": content}))
        return await self._run(turn, content, tools)

    def _listener(self, turn: TurnInput) -> AgentDefinition | None:
        """Return the agent that is addressed; with a conversation in progress the default one stands for it."""
        if turn.target_agent_id is None:
            return self._definitions.default
        return self._definitions.current(turn.target_agent_id)

    async def _run(self, turn: TurnInput, content: str, tools: Tools) -> TurnOutcome:
        default = self._definitions.default
        stage = Stage(
            turn=turn,
            content=content,
            definitions=self._definitions,
            catalogues=self._catalogues,
            dialogue=Dialogue(home=default.id),
            transcript=Transcript(speaker=default),
        )
        slot = CheckpointSlot(turn.checkpoint or None)
        if is_blatant_injection(content):
            stage.transcript.flags.append("injection")
        await self._graph.ainvoke(
            {"content": content},
            config_for(slot),
            context=TurnContext(stage, tools, self._understander, self._knowledge),
            output_keys="call",
            durability="exit",
        )
        if self._wording is not None and not stage.transcript.flags:
            await reword(stage, self._wording)
        return self._outcome(stage, slot.stored or {})

    def _outcome(self, stage: Stage, checkpoint: dict[str, Any]) -> TurnOutcome:
        dialogue, transcript = stage.dialogue, stage.transcript
        frame = dialogue.top
        outcome = TurnOutcome(
            content="",
            agent_id=transcript.speaker.id,
            next_agent_id=frame.agent_id if frame else dialogue.home,
            response_type=transcript.response_type,
            envelope=envelope(stage),
            requires_followup=dialogue.mode == "human" or dialogue.question is not None,
            followup_actions=follow_ups(stage),
            checkpoint=checkpoint,
            closes_session=transcript.closes_session,
            pins=frame.digest if frame else None,
            approval=transcript.approval,
            withdrawn=stage.waited_for - waiting_approvals(stage) - _decided(stage.turn),
            handoff=transcript.handoff,
            took_back=stage.was_with_a_person and dialogue.mode == "agent",
        )
        try:
            content = check_reply(reply_text(stage), (*self._reply_checks, _provenance(stage)))
        except ReplyRefused as refusal:
            log.warning("replies.withheld", reason=str(refusal))
            return replace(outcome, content=stage.home.texts.withheld.source, response_type="error")
        return replace(outcome, content=content)


def _provenance(stage: Stage) -> ReplyCheck:
    return partial(check_provenance, said=partial(said_in, stage), defined=partial(defined_in, stage))


def _catalogues(definitions: Definitions) -> dict[str, Catalogue]:
    return {agent.id: catalogue_of(agent, definitions) for agent in definitions}


def _decided(turn: TurnInput) -> frozenset[str]:
    return frozenset({turn.approval.approval_id}) if turn.approval else frozenset()


def _plain(turn: TurnInput, agent: AgentDefinition, content: str, *, error: bool = False) -> TurnOutcome:
    """Answer without running any flow: the conversation stays exactly where it was."""
    checkpoint = turn.checkpoint or {}
    frame = dialogue.top if (dialogue := dialogue_in(checkpoint)) else None
    return TurnOutcome(
        content=content,
        agent_id=agent.id,
        next_agent_id=frame.agent_id if frame else agent.id,
        response_type="error" if error else "message",
        envelope=speaker_part(Transcript(speaker=agent)),
        requires_followup=False,
        followup_actions=[],
        checkpoint=checkpoint,
        pins=frame.digest if frame else None,
    )
