"""Obeys the commands of a turn, one after the other."""

from self_service_agent.agent_service.definitions.values import ValueProblem
from self_service_agent.agent_service.understanding.commands import (
    Affirm,
    Approve,
    AskKnowledge,
    Back,
    Cancel,
    CannotHandle,
    ChangeDone,
    Choose,
    Command,
    Correct,
    Deny,
    ForSomeone,
    Help,
    Human,
    Quit,
    Repeat,
    Reset,
    SetSlot,
    Smalltalk,
    StartFlow,
    Status,
    Tokens,
    Unread,
    WhichOne,
)
from self_service_agent.kit.ids import derived_id

from . import answers, asking, limits, repairs
from .approvals import waiting_approval
from .dialogue import Dialogue, Frame
from .stage import DefinitionGone, Stage
from .steps import hand_over, leave, walk
from .turns import ApprovalDecision, HandBack


def obey(command: Command, stage: Stage) -> None:
    """Do what one command asks for; a question to the documents is left at `stage.question`."""
    if not isinstance(command, CannotHandle | Unread):
        stage.dialogue.misses = 0
    match command:
        case Reset() | Quit() | Tokens():
            _obey_chat_command(command, stage)
        case _ if stage.dialogue.mode == "human":
            repairs.return_from_person(command, stage)
        case Choose(choice_id=choice_id) if choice_id.startswith(repairs.ASK):
            stage.pending = None
            stage.question = asking.ask_documents(AskKnowledge(choice_id.removeprefix(repairs.ASK)), stage)
        case Choose() | SetSlot() | Affirm() | Deny():
            _take_answer(command, stage)
        case Cancel() | Back() | Repeat() | Status() | Human() | Help():
            _obey_set_phrase(command, stage)
        case WhichOne() | ForSomeone() | ChangeDone() | Approve() | Unread():
            _obey_in_part(command, stage)
        case _:
            _obey_meaning(command, stage)


def decide(decision: ApprovalDecision, stage: Stage) -> None:
    """Take in a decision about a pending approval, wherever in the conversation its flow is."""
    start_over_what_changed(stage)
    for frame in stage.dialogue.stack:
        if waiting_approval(frame, stage) == decision.approval_id:
            stage.dialogue.stack.remove(frame)
            stage.dialogue.stack.append(frame)
            answers.decide_approval(decision, frame, stage)
            repairs.resume(stage)
            return
    stage.say_system(stage.texts.approval_unknown, summary=decision.summary)
    repairs.resume(stage)


def take_back(given: HandBack, stage: Stage) -> None:
    """Have the conversation again, and go on where it stood unless the person settled that."""
    start_over_what_changed(stage)
    dialogue = stage.dialogue
    dialogue.mode = "agent"
    settled = [frame for frame in dialogue.stack if given.is_settled and frame.instance == dialogue.handed_over]
    stage.say_system(stage.texts.settled_by_person if settled else stage.texts.returned_by_person, by=given.by)
    for frame in settled:
        leave(frame, stage)
    if dialogue.top is None:
        stage.transcript.replies.append(stage.texts.anything_else.source)
    repairs.resume(stage)


def start_over_what_changed(stage: Stage) -> bool:
    """Begin those flows afresh whose definition is not at hand, or hand over what may have acted; say whether any."""
    changed = False
    for at, frame in reversed(list(enumerate(stage.dialogue.stack))):
        try:
            stage.definition_of(frame)
        except DefinitionGone:
            stage.dialogue.stack[at : at + 1] = _afresh(frame, stage)
            changed = True
    return changed


def _afresh(frame: Frame, stage: Stage) -> list[Frame]:
    agent = stage.definitions.current(frame.agent_id)
    flow = agent.flows.get(frame.flow) if agent else None
    title = flow.title if flow else frame.flow
    stage.transcript.replies.append(stage.home.texts.definition_gone.render({"title": title}))
    if frame.failure == "in_doubt":
        stage.dialogue.mode = "human"
        stage.transcript.handoff = {"flow": frame.name, "step": frame.step, "slots": dict(frame.slots)}
    if agent is None or flow is None or frame.failure == "in_doubt":
        return []
    instance = derived_id(stage.turn.request_id, frame.flow)
    begun = Frame(frame.agent_id, agent.digest, frame.flow, instance, step="")
    begun.move_to(flow.steps[0].id)
    return [begun]


def _obey_chat_command(command: Reset | Quit | Tokens, stage: Stage) -> None:
    match command:
        case Tokens():
            counted = {"input_tokens": 0, "output_tokens": 0, **stage.transcript.usage}
            stage.say_system(stage.texts.usage, **counted)
            stage.transcript.response_type = "tokens"
            stage.dialogue.question = stage.pending
            return
        case Reset():
            text = stage.texts.session_reset
        case Quit():
            text = stage.texts.farewell
    stage.say_system(text)
    stage.transcript.closes_session = True
    stage.dialogue = Dialogue(home=stage.definitions.default.id)


def _obey_set_phrase(command: Cancel | Back | Repeat | Status | Human | Help, stage: Stage) -> None:
    match command:
        case Cancel():
            repairs.cancel(stage)
        case Back():
            repairs.back(stage)
        case Repeat():
            repairs.repeat(stage)
        case Status():
            repairs.tell_status(stage)
        case Human():
            hand_over(stage)
        case Help():
            stage.say_system(stage.texts.help)
            repairs.resume(stage)


def _obey_in_part(command: WhichOne | ForSomeone | ChangeDone | Approve | Unread, stage: Stage) -> None:
    """Answer what cannot be done as it was said."""
    match command:
        case WhichOne():
            limits.narrow(command, stage)
        case ForSomeone():
            limits.start_for(command, stage)
        case ChangeDone():
            repairs.refuse_change(stage)
        case Approve():
            stage.say_system(stage.texts.approved_elsewhere)
            repairs.resume(stage)
        case Unread():
            repairs.leave_unread(command, stage)


def _obey_meaning(command: StartFlow | Correct | AskKnowledge | Smalltalk | CannotHandle, stage: Stage) -> None:
    match command:
        case StartFlow():
            repairs.start(command, stage)
        case Correct():
            repairs.take_correction(command, stage)
        case AskKnowledge():
            stage.question = asking.ask_documents(command, stage)
        case Smalltalk():
            repairs.be_polite(command, stage)
        case CannotHandle():
            stage.question = asking.ask_before_giving_up(command, stage)
            if stage.question is None:
                repairs.misunderstood(command, stage)


def _take_answer(command: Choose | SetSlot | Affirm | Deny, stage: Stage) -> None:
    """Take a reply to the pending question, be it a flow's or one of the menus."""
    pending, frame = stage.pending, stage.dialogue.top
    if pending is not None and pending.purpose != "step":
        taken = _take_from_menu(command, stage)
    elif frame is not None and _take_in_flow(command, frame, stage):
        taken = True
        walk(stage)
    else:
        taken = False
    if not taken:
        _not_an_answer(command, stage)


def _take_in_flow(command: Choose | SetSlot | Affirm | Deny, frame: Frame, stage: Stage) -> bool:
    try:
        match command:
            case Choose():
                return answers.choose(command, frame, stage)
            case SetSlot():
                return answers.set_slot(command, frame, stage)
            case Affirm() | Deny():
                return answers.confirm(command, frame, stage)
    except ValueProblem:
        return False


def _take_from_menu(command: Choose | SetSlot | Affirm | Deny, stage: Stage) -> bool:
    question = stage.pending
    if question is None:
        return False
    match command:
        case Choose(choice_id=choice_id) if any(choice.id == choice_id for choice in question.choices):
            return repairs.choose_from_menu(choice_id, question, stage)
        case Affirm() if question.purpose == "failure" and question.choices[0].id == "retry":
            return repairs.choose_from_menu("retry", question, stage)
        case Affirm() if question.purpose == "again":
            return repairs.choose_from_menu("leave", question, stage)
        case Deny() if question.purpose == "unsure":
            return repairs.choose_from_menu("else", question, stage)
        case _:
            return False


def _not_an_answer(command: Choose | SetSlot | Affirm | Deny, stage: Stage) -> None:
    if stage.pending is None and stage.dialogue.top is None and isinstance(command, Affirm | Deny):
        stage.say_system(stage.texts.nothing_pending)
        for record in stage.dialogue.done.values():
            stage.say(record)
        return
    repairs.misunderstood(CannotHandle(), stage)
