"""Finding conversations, and writing them out piece by piece."""

from collections.abc import AsyncIterator, Mapping, Sequence

import asyncpg
import orjson
from pydantic_core import to_json

from self_service_agent.kit import clock
from self_service_agent.kit.database import Pool
from self_service_agent.shared_models.integrations import IntegrationType
from self_service_agent.shared_models.sessions import SessionStatus

from . import repository
from .repository import Found
from .schemas import Conversation, Message

_AT_ONCE = 20  # conversations that are in memory with their messages


async def written(pool: Pool, found: Found, *, messages: int, about: Mapping[str, object]) -> AsyncIterator[bytes]:
    """Yield one JSON document: `about`, and the conversations with so many of their newest messages each."""
    yield orjson.dumps(about)[:-1] + b',"sessions":['
    for start in range(0, len(found.sessions), _AT_ONCE):
        sessions = found.sessions[start : start + _AT_ONCE]
        ids = [session["session_id"] for session in sessions]
        said = await repository.messages(pool, ids, limit=messages) if messages else {}
        shown = [to_json(_conversation(each, said.get(each["session_id"], ()))) for each in sessions]
        yield (b"," if start else b"") + b",".join(shown)
    yield b"]}"


def _conversation(session: asyncpg.Record, said: Sequence[asyncpg.Record]) -> Conversation:
    kinds = dict.fromkeys((session["integration_type"], *(each["integration_type"] for each in said)))
    expired = session["status"] == SessionStatus.ACTIVE and session["expires_at"] <= clock.now()
    return Conversation(
        session_id=session["session_id"],
        user_id=session["user_id"],
        user_email=session["primary_email"],
        integration_type=session["integration_type"],
        integration_types=[IntegrationType(kind) for kind in kinds],
        status=SessionStatus.EXPIRED if expired else session["status"],
        created_at=session["created_at"],
        last_request_at=session["last_request_at"],
        total_requests=session["total_requests"],
        current_agent_id=session["current_agent_id"],
        current_thread_id=session["thread_id"],
        conversation=[_message(each, session["thread_id"]) for each in said],
    )


def _message(row: asyncpg.Record, thread_of_session: str | None) -> Message:
    source = "request" if row["thread_id"] else "session" if thread_of_session else None
    return Message(
        request_id=row["request_id"],
        timestamp=row["created_at"],
        integration_type=row["integration_type"],
        user_message=row["request_content"],
        agent_response=row["response_content"],
        status=row["status"],
        agent_id=row["agent_id"],
        thread_id=row["thread_id"] or thread_of_session,
        thread_id_source=source,
        processing_time_ms=row["processing_time_ms"],
        completed_at=row["completed_at"],
    )
