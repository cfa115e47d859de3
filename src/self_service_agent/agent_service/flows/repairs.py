"""What every flow inherits: starting, cancelling, repeating, going back, digressing, reaching a person."""

from dataclasses import replace
from typing import Final

from self_service_agent.agent_service.guards.language import is_surely_not_english
from self_service_agent.agent_service.understanding.commands import (
    AskKnowledge,
    Back,
    CannotHandle,
    Correct,
    Smalltalk,
    StartFlow,
    Unread,
)
from self_service_agent.agent_service.understanding.context import Choice
from self_service_agent.kit.ids import derived_id

from .answers import correct, go_back
from .approvals import waiting_approval
from .dialogue import Dialogue, Frame, Question
from .plan import tell_plan
from .stage import Stage
from .started import asked_flow
from .steps import hand_over, leave, walk

MISSES_BEFORE_OFFERING_A_PERSON = 2
ASK: Final = "ask:"
"""Begins the id of a choice that asks the documents what comes after it."""


def resume(stage: Stage) -> None:
    """Ask again whatever is still to be answered."""
    if stage.dialogue.top is not None:
        walk(stage)
    elif stage.pending is not None and stage.pending.purpose in {"unsure", "again"}:
        stage.ask(stage.pending)


def start(command: StartFlow, stage: Stage, *, again: bool = False) -> None:
    """Begin a flow, unless it is in progress, unsettled, or already done and nobody asked for another."""
    dialogue = stage.dialogue
    agent = stage.definitions.current(command.agent_id)
    if agent is None or command.flow not in agent.flows:
        misunderstood(CannotHandle(), stage)
        return
    name = f"{command.agent_id}/{command.flow}"
    if any(frame.name == name for frame in dialogue.stack):
        _bring_to_top(name, dialogue)
        stage.say_system(stage.texts.already_started)
    elif parked := next((frame for frame in dialogue.parked if frame.name == name), None):
        dialogue.parked.remove(parked)
        dialogue.stack.append(parked)
        stage.say_system(stage.texts.resolve_first)
    elif agent.flows[command.flow].repeat == "ask" and name in dialogue.done and not again:
        _offer_another(command, dialogue.done[name], stage)
        return
    else:
        instance = derived_id(stage.turn.request_id, command.flow)
        frame = Frame(command.agent_id, agent.digest, command.flow, instance, step="")
        frame.move_to(agent.flows[command.flow].steps[0].id)
        dialogue.stack.append(frame)
        if stage.home.manner == "plan":
            tell_plan(frame, stage)
    walk(stage)


def refuse_change(stage: Stage) -> None:
    """Say what is done, and who can still change it."""
    if not stage.dialogue.done:
        misunderstood(CannotHandle(), stage)
        return
    for record in stage.dialogue.done.values():
        stage.say(record)
    stage.say_system(stage.texts.done_is_final)
    resume(stage)


def cancel(stage: Stage) -> None:
    """Stop the flow that has the word; one that may already have acted is kept aside until that is known."""
    frame = stage.dialogue.top
    if frame is None:
        _cancel_what_is_over(stage)
        return
    if frame.failure == "in_doubt":
        stage.say_system(stage.texts.cancelled_in_doubt)
        stage.dialogue.parked.append(frame)
    else:
        stage.say_system(stage.texts.cancelled, title=stage.flow_of(frame).title)
    leave(frame, stage)
    if stage.dialogue.top is not None:
        stage.say_system(stage.texts.resumed, title=stage.flow_of(stage.dialogue.top).title)
    resume(stage)


def _cancel_what_is_over(stage: Stage) -> None:
    if stage.pending is not None and stage.pending.purpose == "again":
        stage.say_system(stage.texts.left_as_is)
    elif stage.dialogue.done:
        refuse_change(stage)
    else:
        stage.say_system(stage.texts.nothing_to_cancel)


def back(stage: Stage) -> None:
    """Return to the step before."""
    frame = stage.dialogue.top
    if frame is not None and frame.failure == "in_doubt":
        stage.say_system(stage.texts.resolve_first)
    elif frame is None or not go_back(frame, stage):
        stage.say_system(stage.texts.nothing_to_go_back_to)
    resume(stage)


def take_correction(command: Correct, stage: Stage) -> None:
    """Take back an earlier answer, unless what it led to may already have happened."""
    frame = stage.dialogue.top
    if frame is not None and frame.failure == "in_doubt":
        stage.say_system(stage.texts.resolve_first)
    elif frame is None or not correct(command, frame, stage):
        misunderstood(CannotHandle(), stage)
        return
    resume(stage)
    _narrow(command, stage)


def _narrow(command: Correct, stage: Stage) -> None:
    """Leave of the choices of the question only those that the correction may mean."""
    question = stage.dialogue.question
    if question is None or question.slot != command.slot:
        return
    choices = tuple(choice for choice in question.choices if choice.id in command.among)
    if choices:
        stage.ask(replace(question, text=stage.texts.which_one.source, choices=choices))


def tell_status(stage: Stage) -> None:
    """Say what is in progress and what is done, or begin the flow that finds out."""
    dialogue = stage.dialogue
    if not dialogue.stack and (asked := asked_flow(stage)) is not None:
        start(asked, stage)
        return
    for frame in reversed(dialogue.stack):
        stage.say_system(stage.texts.in_progress, title=stage.flow_of(frame).title)
        if frame is not dialogue.top and waiting_approval(frame, stage) is not None:
            stage.say_system(stage.texts.approval_waiting, summary=frame.slots["approval"]["summary"])
    for record in dialogue.done.values():
        stage.say(record)
    if not dialogue.stack and not dialogue.done:
        stage.say_system(stage.texts.nothing_in_progress)
    resume(stage)


def repeat(stage: Stage) -> None:
    """Ask the question again, or say the last reply again."""
    if stage.dialogue.top is None and stage.pending is None and stage.dialogue.said:
        stage.say(stage.dialogue.said)
    resume(stage)


def be_polite(command: Smalltalk, stage: Stage) -> None:
    """Answer a courtesy and go on."""
    texts = stage.texts
    greeting = texts.welcome_back if stage.dialogue.top else texts.greeting
    saying = {"greeting": greeting, "thanks": texts.thanks, "farewell": texts.farewell, "identity": texts.identity}
    stage.say_system(saying[command.sort])
    resume(stage)


def misunderstood(command: CannotHandle, stage: Stage) -> None:
    """Say that the message was not understood, and offer what may help."""
    stage.dialogue.misses += 1
    pending = stage.pending
    in_flow = stage.dialogue.top is not None
    is_foreign = is_surely_not_english(stage.content)
    if is_foreign:
        stage.say_system(stage.texts.only_english)
    if is_foreign and (in_flow or not command.guesses):
        resume(stage)
    elif pending is not None and ((in_flow and pending.expects != "approval") or pending.purpose == "again"):
        _say_missed(pending, stage)
        resume(stage)
    elif command.guesses and (pending is None or pending.expects != "approval"):
        _offer_guesses(command, stage)
    else:
        stage.say_system(stage.texts.out_of_scope)
        resume(stage)


def leave_unread(command: Unread, stage: Stage) -> None:
    """Say that the message was not read, and why; what is in progress stays where it is."""
    stage.say_system(stage.texts.blocked if command.reason == "blocked" else stage.texts.unchecked)
    resume(stage)


def return_from_person(command: object, stage: Stage) -> None:
    """While a person has the conversation, take part in it only when asked back."""
    if not isinstance(command, Back):
        stage.say_system(stage.texts.with_a_person)
        return
    stage.dialogue.mode = "agent"
    stage.say_system(stage.texts.returned)
    resume(stage)


def choose_from_menu(choice_id: str, question: Question, stage: Stage) -> bool:
    """Take a choice of one of the menus that are not a flow's own; say whether it was one."""
    frame = stage.dialogue.top
    match choice_id.split(":", 1):
        case ["human"]:
            hand_over(stage)
        case ["stop"]:
            cancel(stage)
        case ["retry"] if frame is not None:
            frame.failure = None
            walk(stage)
        case ["else"]:
            stage.say_system(stage.texts.tell_me_more)
        case ["leave"]:
            stage.say_system(stage.texts.left_as_is)
            stage.pending = None
            resume(stage)
        case [("flow" | "again") as sort, name]:
            agent_id, _, flow = name.partition("/")
            start(StartFlow(agent_id, flow), stage, again=sort == "again" and question.purpose == "again")
        case _:
            return False
    return True


def _say_missed(pending: Question, stage: Stage) -> None:
    texts = stage.texts
    if stage.dialogue.misses > MISSES_BEFORE_OFFERING_A_PERSON:
        stage.say_system(texts.missed_often)
    hints = {"choice": texts.missed_choice, "confirmation": texts.missed_confirmation, "text": texts.not_that_value}
    stage.say_system(hints.get(pending.expects, texts.missed))


def _offer_guesses(command: CannotHandle, stage: Stage) -> None:
    texts = stage.texts
    offers = [_offer(guess, stage) for guess in command.guesses]
    offers.append(Choice("else", texts.something_else.source, ("else", "none", "neither")))
    offers.append(Choice("human", texts.talk_to_person.source, ("person", "human")))
    stage.ask(Question(purpose="unsure", expects="choice", text=texts.unsure.source, choices=tuple(offers)))


def _offer(guess: StartFlow | AskKnowledge, stage: Stage) -> Choice:
    if isinstance(guess, AskKnowledge):
        return Choice(f"{ASK}{guess.question}", guess.question)
    return Choice(f"flow:{guess.agent_id}/{guess.flow}", stage.catalogue.title(guess.agent_id, guess.flow))


def _offer_another(command: StartFlow, record: str, stage: Stage) -> None:
    texts = stage.texts
    stage.say_system(texts.already_done, record=record)
    offers = (
        Choice("leave", texts.again_leave.source, ("leave", "leave it")),
        Choice(f"again:{command.agent_id}/{command.flow}", texts.again_start.source, ("new", "another", "start")),
    )
    stage.ask(Question(purpose="again", expects="choice", text=texts.again.source, choices=offers))


def _bring_to_top(name: str, dialogue: Dialogue) -> None:
    dialogue.stack.sort(key=lambda frame: frame.name == name)
