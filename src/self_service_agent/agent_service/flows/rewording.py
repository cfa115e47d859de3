"""Which replies may be said in other words, and having that done."""

from self_service_agent.agent_service.wording.service import Wording, account_of

from .stage import Stage

_AS_WRITTEN = frozenset({"confirmation", "approval"})


async def reword(stage: Stage, wording: Wording) -> None:
    """Reword what was said in the turn, but never a question, a list, a quotation or what a decision hangs on."""
    if not _may_be_reworded(stage):
        return
    transcript = stage.transcript
    account = account_of(stage.turn.session_id, transcript.usage)
    worded = await wording.reword("\n\n".join(transcript.replies), account)
    transcript.replies = [worded.text]
    transcript.flags.extend(worded.flags)
    if account.used.total:
        transcript.usage = account.used.in_envelope()


def _may_be_reworded(stage: Stage) -> bool:
    transcript, question = stage.transcript, stage.dialogue.question
    return (
        bool(transcript.replies)
        and transcript.response_type == "message"
        and stage.dialogue.mode == "agent"
        and not transcript.citations
        and transcript.handoff is None
        and transcript.approval is None
        and (question is None or question.expects not in _AS_WRITTEN)
        and not any("\n" in reply for reply in transcript.replies)
    )
