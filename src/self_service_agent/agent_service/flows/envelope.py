"""The turn envelope: what a machine needs to know about an answer, and the text that a person reads."""

from typing import Any

from .dialogue import Question
from .stage import Stage
from .turns import Transcript

_FOLLOW_UPS = {"text": ["answer"], "choice": ["choose"], "confirmation": ["confirm"], "approval": ["await_approval"]}


def reply_text(stage: Stage) -> str:
    """Return everything said in the turn, ending with the question if there is one."""
    question = stage.dialogue.question
    asked = stage.transcript.response_type != "tokens" and question is not None
    return "\n\n".join([*stage.transcript.replies, *([_question_text(question)] if asked and question else [])])


def envelope(stage: Stage) -> dict[str, Any]:
    """Return the turn envelope of the contract."""
    dialogue, transcript = stage.dialogue, stage.transcript
    question, frame = dialogue.question, dialogue.top
    confirming = question is not None and question.expects == "confirmation"
    return {
        **speaker_part(transcript),
        "flow": frame.flow if frame else None,
        "step": frame.step if frame else None,
        "mode": dialogue.mode,
        "expects": question.expects if question else "nothing",
        "choices": [{"id": choice.id, "label": choice.label} for choice in question.choices] if question else [],
        "pending_confirmation": (
            {"action": question.action, "summary": question.summary} if question and confirming else None
        ),
    }


def speaker_part(transcript: Transcript) -> dict[str, Any]:
    """Return who answered, by which engine, from which sources and with which tools."""
    speaker = transcript.speaker
    return {
        "engine": transcript.engine,
        "model": transcript.model,
        "understanding": transcript.understanding,
        "definition": {"id": speaker.id, "version": speaker.version, "digest": speaker.digest},
        "agent_id": speaker.id,
        "flow": None,
        "step": None,
        "mode": "agent",
        "expects": "nothing",
        "choices": [],
        "pending_confirmation": None,
        "retrieval": transcript.retrieval,
        "citations": transcript.citations,
        "tool_calls": transcript.tool_calls,
        **({"plan": transcript.plan} if transcript.plan else {}),
        **({"research": transcript.research} if transcript.research else {}),
        "usage": {"input_tokens": 0, "output_tokens": 0, **transcript.usage},
        **({"degraded": transcript.degraded} if transcript.degraded else {}),
        **({"flags": transcript.flags} if transcript.flags else {}),
    }


def follow_ups(stage: Stage) -> list[str]:
    """Return what the answer waits for, in one word each."""
    if stage.dialogue.mode == "human":
        return ["handoff"]
    question = stage.dialogue.question
    return list(_FOLLOW_UPS.get(question.expects, [])) if question else []


def _question_text(question: Question) -> str:
    if question.expects != "choice":
        return question.text
    lines = (f"{number}. {choice.label}" for number, choice in enumerate(question.choices, start=1))
    return "\n".join([question.text, *lines])
