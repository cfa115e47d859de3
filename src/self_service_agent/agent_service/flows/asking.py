"""Questions to the documents: asked of whatever answers them, and what is found said as it is, never obeyed."""

from self_service_agent.agent_service.definitions.steps import AnswerStep
from self_service_agent.agent_service.definitions.values import ValueProblem
from self_service_agent.agent_service.knowledge.answers import Answer, Query
from self_service_agent.agent_service.knowledge.defined import documents_of, scope_of, synonyms_of
from self_service_agent.agent_service.knowledge.rules import Scope
from self_service_agent.agent_service.understanding.commands import AskKnowledge, CannotHandle
from self_service_agent.agent_service.understanding.grammar import is_question
from self_service_agent.agent_service.understanding.words import content_tokens

from .dialogue import Frame
from .failures import fail
from .questions import PendingQuestion
from .repairs import misunderstood, resume
from .researching import tell_research
from .stage import Stage
from .steps import go_on, walk
from .tools import CallFailed

_FEWEST_WORDS = 2
_NEARLY_THE_SAME = 0.8  # of the likeness of words, 0 to 1


def ask_documents(command: AskKnowledge, stage: Stage) -> PendingQuestion:
    """Return what somebody asked."""
    return PendingQuestion(query=_query(command.question, stage), is_research=stage.home.manner == "research")


def ask_before_giving_up(command: CannotHandle, stage: Stage) -> PendingQuestion | None:
    """Return a message that was not understood as a question to the documents, unless it is an answer gone wrong."""
    text = stage.content
    in_flow = stage.dialogue.top is not None or (stage.pending is not None and stage.pending.purpose != "unsure")
    fewest = 1 if is_question(text) else _FEWEST_WORDS
    if stage.dialogue.mode == "human" or len(content_tokens(text)) < fewest:
        return None
    if not is_question(text) and (in_flow or command.guesses):
        return None
    return PendingQuestion(query=_query(text, stage, is_guess=not is_question(text)), otherwise=command)


def ask_for_step(step: AnswerStep, frame: Frame, stage: Stage) -> PendingQuestion | None:
    """Return the question of a step, to the agent's own documents and bases or to the base that the step names.

    If a value that the question needs is missing, that is said and there is none.
    """
    agent = stage.definition_of(frame)
    try:
        question = step.question.render(stage.names(frame)) if step.question else ""
    except ValueProblem as problem:
        fail(frame, CallFailed("undecidable", str(problem)), stage)
        walk(stage)
        return None
    scope = Scope(bases=(step.base,), reader=stage.turn.user_id) if step.base else None
    return PendingQuestion(
        query=Query(
            text=question,
            scope=scope or scope_of([agent], reader=stage.turn.user_id),
            synonyms=synonyms_of([agent]),
        ),
        is_of_step=True,
    )


def tell(pending: PendingQuestion, answer: Answer, stage: Stage) -> None:
    """Say what was found and where it stands, or that nothing was; then go on where the conversation was."""
    stage.transcript.retrieval = answer.retrieval
    frame = stage.dialogue.top
    if pending.is_of_step and frame is not None:
        _tell_for_step(answer, frame, stage)
    elif answer.citations:
        stage.dialogue.misses = 0
        if pending.is_research:
            tell_research(pending.query.text, answer, stage)
        else:
            _quote(answer, stage)
        resume(stage)
    elif pending.otherwise is not None:
        misunderstood(pending.otherwise, stage)
    else:
        stage.say_system(stage.texts.no_answer)
        resume(stage)


def _tell_for_step(answer: Answer, frame: Frame, stage: Stage) -> None:
    """Go on after the step's quote; without one the step says where to go, or it is said that there is none."""
    step = stage.flow_of(frame).by_id[frame.step]
    if not isinstance(step, AnswerStep):
        return
    if answer.citations and step.text:
        stage.say_step(step.text, frame)
    if answer.citations:
        _quote(answer, stage)
    elif not step.empty:
        stage.say_system(stage.texts.no_answer)
    if step.empty and not answer.citations:
        frame.move_to(step.empty)
    else:
        go_on(frame, step, stage)
    walk(stage)


def _quote(answer: Answer, stage: Stage) -> None:
    citations = answer.citations
    first = citations[0]
    place = f"{first.title}, {first.heading}" if first.heading else first.title
    lines = [f"- {each.text}" for each in citations] if answer.is_table else [each.text for each in citations]
    stage.say("\n".join([*lines, f"(Source: {place})"]))
    stage.transcript.citations.extend(each.to_json() for each in citations)


def _query(text: str, stage: Stage, *, is_guess: bool = False) -> Query:
    agents = stage.listeners()
    return Query(
        text=text,
        scope=scope_of(agents, reader=stage.turn.user_id),
        synonyms=synonyms_of(agents),
        is_guess=is_guess,
        section=None if is_guess else _section_for(text, stage),
    )


def _section_for(question: str, stage: Stage) -> tuple[str, str] | None:
    """Return the section that has this question, or nearly this one, among its examples."""
    entry = stage.catalogue.exemplified(question, at_least=_NEARLY_THE_SAME)
    if entry is None:
        return None
    named = (each for each in documents_of(stage.listeners()) if each.name == entry.document_id)
    digest = next((each.digest for each in named if each.document.title == entry.title), None)
    return None if digest is None else (digest, entry.section.heading)
