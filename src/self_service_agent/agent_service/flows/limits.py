"""Answers what is understood, and yet cannot be done as it was said."""

from dataclasses import replace

from self_service_agent.agent_service.understanding.commands import CannotHandle, ForSomeone, WhichOne

from .repairs import misunderstood, resume, start
from .stage import Stage


def start_for(command: ForSomeone, stage: Stage) -> None:
    """Begin a flow for the speaker, if that is who was named; nobody can ask for somebody else."""
    speaker = {known.lower() for known in (stage.turn.user_email, stage.turn.user_login) if known}
    if command.person.lower().replace(" ", ".") in speaker:
        start(command.wish, stage)
        return
    stage.say_system(stage.texts.only_for_yourself)
    resume(stage)


def narrow(command: WhichOne, stage: Stage) -> None:
    """Ask the pending question again, with only those choices that fit what was said."""
    pending = stage.pending
    choices = tuple(choice for choice in pending.choices if choice.id in command.choice_ids) if pending else ()
    if pending is None or not choices:
        misunderstood(CannotHandle(), stage)
        return
    stage.ask(replace(pending, text=stage.texts.which_one.source, choices=choices))
