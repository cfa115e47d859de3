"""What happens when a tool fails or the records do not suffice: said honestly, with the state kept."""

from self_service_agent.agent_service.understanding.context import Choice

from .dialogue import Frame, Question
from .stage import Stage
from .tools import CallFailed


def fail(frame: Frame, failure: CallFailed, stage: Stage) -> None:
    """Note what went wrong and say so, honestly and once."""
    frame.failure = failure.sort
    frame.slots["reason"] = failure.reason
    texts = stage.texts
    saying = {
        "unavailable": texts.tool_unavailable,
        "refused": texts.tool_refused,
        "in_doubt": texts.tool_in_doubt,
        "undecidable": texts.undecidable,
    }
    stage.say_system(saying[failure.sort], reason=failure.reason)


def ask_about_failure(frame: Frame, stage: Stage) -> None:
    """Ask what to do about the failure; only what may still succeed can be tried again."""
    texts = stage.texts
    offers = [
        Choice("retry", texts.try_again.source, ("retry", "again", "check again", "try it again", "please try again")),
        Choice("human", texts.talk_to_person.source, ("person", "human")),
        Choice("stop", texts.stop_here.source, ("stop", "cancel")),
    ]
    useful = offers if frame.failure in {"unavailable", "in_doubt"} else offers[1:]
    stage.ask(Question(purpose="failure", expects="choice", text=texts.what_now.source, choices=tuple(useful)))
