"""One turn as a LangGraph graph: understand, advance, and one tool call per visit until it has to wait."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias

from langgraph.channels import UntrackedValue
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from typing_extensions import TypedDict

from self_service_agent.agent_service.definitions.steps import AnswerStep
from self_service_agent.agent_service.knowledge.answers import Answer
from self_service_agent.agent_service.research.service import research
from self_service_agent.agent_service.understanding.commands import Command, Repeat
from self_service_agent.agent_service.understanding.context import Understander, UnderstandingContext

from .approvals import waiting_approvals
from .asking import ask_for_step, tell
from .checkpoints import TurnCheckpoints
from .dialogue import Dialogue
from .earlier import correctables
from .envelope import reply_text
from .obey import decide, obey, start_over_what_changed, take_back
from .questions import Knowledge, PendingQuestion
from .researching import as_questions
from .sources import heard
from .stage import Stage
from .steps import settle, walk
from .tools import CallResult, PendingCall, Tools, perform

SAID_LIMIT = 2_000


class State(TypedDict, total=False):
    """The graph's channels: the dialogue is the checkpoint, everything else ends with the turn."""

    dialogue: dict[str, Any]
    content: Annotated[str, UntrackedValue]
    commands: Annotated[tuple[Command, ...], UntrackedValue]
    call: Annotated[PendingCall | None, UntrackedValue]
    result: Annotated[CallResult | None, UntrackedValue]
    question: Annotated[PendingQuestion | None, UntrackedValue]
    answer: Annotated[Answer | None, UntrackedValue]


@dataclass(frozen=True)
class TurnContext:
    """What the nodes of one turn work with."""

    stage: Stage
    tools: Tools
    understander: Understander
    knowledge: Knowledge


TurnGraph: TypeAlias = CompiledStateGraph[State, TurnContext, State, State]


def build_graph() -> TurnGraph:
    """Return the compiled graph; it holds nothing of any turn and serves all of them."""
    graph = StateGraph(State, context_schema=TurnContext)
    graph.add_node("understand", _understand)
    graph.add_node("advance", _advance)
    graph.add_node("tool", _call_tool)
    graph.add_edge(START, "understand")
    graph.add_edge("understand", "advance")
    graph.add_node("search", _search)
    graph.add_conditional_edges("advance", _after_advance, ["tool", "search", END])
    graph.add_edge("tool", "advance")
    graph.add_edge("search", "advance")
    return graph.compile(checkpointer=TurnCheckpoints())


async def _understand(state: State, runtime: Runtime[TurnContext]) -> State:
    stage = runtime.context.stage
    _open(stage, state.get("dialogue"))
    if not stage.turn.is_message:
        return {"commands": ()}
    if start_over_what_changed(stage):
        return {"commands": (Repeat(),)}
    understanding = await runtime.context.understander.understand(state["content"], _context_of(stage))
    transcript = stage.transcript
    transcript.engine, transcript.model = understanding.engine, understanding.model
    transcript.usage, transcript.degraded = dict(understanding.usage), understanding.degraded
    transcript.understanding = understanding.compared_by
    transcript.flags.extend(understanding.flags)
    return {"commands": as_questions(understanding.commands, stage)}


async def _advance(state: State, runtime: Runtime[TurnContext]) -> State:
    stage = runtime.context.stage
    result, frame = state.get("result"), stage.dialogue.top
    asked, answer = state.get("question"), state.get("answer")
    stage.call, stage.question = None, None
    if result is not None:
        stage.transcript.heard.append(heard(result))
    if result is not None and frame is not None:
        settle(frame, result, stage)
        walk(stage)
    elif stage.turn.approval is not None and asked is None:
        decide(stage.turn.approval, stage)
    elif stage.turn.hand_back is not None and asked is None:
        take_back(stage.turn.hand_back, stage)
    if asked is not None and answer is not None:
        tell(asked, answer, stage)
    commands = _obey_all(state["commands"], stage)
    stage.dialogue.said = reply_text(stage)[:SAID_LIMIT]
    return {
        "dialogue": stage.dialogue.to_json(),
        "commands": commands,
        "call": stage.call,
        "result": None,
        "question": stage.question,
        "answer": None,
    }


def _obey_all(commands: tuple[Command, ...], stage: Stage) -> tuple[Command, ...]:
    """Obey until there is something to wait for; return what is to be obeyed after an answer from the documents."""
    for number, command in enumerate(commands):
        if stage.call is None:
            obey(command, stage)
        stage.question = stage.question or _question_of_step(stage)
        if stage.question is not None:
            return commands[number + 1 :]
    stage.question = stage.question or _question_of_step(stage)
    return ()


def _question_of_step(stage: Stage) -> PendingQuestion | None:
    """Return the question of the step that the flow stands at, if it is one that asks the documents."""
    frame = stage.dialogue.top
    if frame is None or stage.call is not None or frame.failure or stage.dialogue.mode == "human":
        return None
    step = stage.flow_of(frame).by_id[frame.step]
    return ask_for_step(step, frame, stage) if isinstance(step, AnswerStep) and step.question else None


async def _search(state: State, runtime: Runtime[TurnContext]) -> State:
    asked, knowledge = state["question"], runtime.context.knowledge
    if asked is None:
        return {"answer": None}
    if asked.is_research:
        return {"answer": await research(knowledge, asked.query)}
    return {"answer": await knowledge.answer(asked.query)}


async def _call_tool(state: State, runtime: Runtime[TurnContext]) -> State:
    call = state["call"]
    return {"result": await perform(call, runtime.context.tools) if call else None}


def _after_advance(state: State) -> Literal["tool", "search", "__end__"]:
    if state.get("call") is not None:
        return "tool"
    return "search" if state.get("question") is not None else "__end__"


def _open(stage: Stage, stored: dict[str, Any] | None) -> None:
    """Bring back the conversation, and set its last question aside as the one that is being answered."""
    if stored is not None:
        stage.dialogue = Dialogue.from_json(stored)
    if stage.turn.target_agent_id is not None:
        stage.dialogue.home = stage.turn.target_agent_id
    stage.pending, stage.dialogue.question = stage.dialogue.question, None
    stage.waited_for = waiting_approvals(stage)
    stage.was_with_a_person = stage.dialogue.mode == "human"


def _context_of(stage: Stage) -> UnderstandingContext:
    pending, frame = stage.pending, stage.dialogue.top
    return UnderstandingContext(
        catalogue=stage.catalogue,
        today=stage.turn.now.date(),
        expects=pending.expects if pending else "nothing",
        choices=pending.choices if pending else (),
        slot=pending.slot if pending else None,
        slot_type=pending.slot_type if pending else "text",
        corrections=correctables(frame, stage) if frame else (),
        mode=stage.dialogue.mode,
        session_id=stage.turn.session_id,
    )
