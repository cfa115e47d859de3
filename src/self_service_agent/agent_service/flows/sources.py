"""What a reply of a turn may be made of, besides the sentences of the definitions."""

import json
from collections.abc import Iterator
from typing import Any

from .stage import Stage
from .tools import CallResult


def said_in(stage: Stage) -> Iterator[str]:
    """Yield what people, tools and documents said in this turn and before it, as far as the conversation holds it."""
    turn, dialogue = stage.turn, stage.dialogue
    yield from (text for text in (turn.user_id, turn.user_email, turn.user_login, turn.content, stage.content) if text)
    yield from stage.transcript.heard
    yield _flat(stage.transcript.citations)
    yield _flat([frame.slots for frame in (*dialogue.stack, *dialogue.parked)])
    yield _flat(turn.checkpoint)
    happened = turn.approval or turn.hand_back
    yield _flat(vars(happened) if happened else None)


def defined_in(stage: Stage) -> Iterator[str]:
    """Yield the definitions that may speak in this turn, with their tables and documents."""
    yield from (definition.body for definition in (*stage.definitions, *stage.turn.kept.values()))
    if stage.turn.pinned is not None:
        yield stage.turn.pinned.body


def heard(result: CallResult) -> str:
    """Return what a tool answered, as text."""
    return _flat(vars(result))


def _flat(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
