"""What becomes of a request before it is stored: its common form, its session scope, where its answer goes."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

import orjson

from self_service_agent.shared_models.integrations import IntegrationType
from self_service_agent.shared_models.requests import (
    AddressedRequest,
    BaseRequest,
    CLIRequest,
    DeliveryChoice,
    DeliveryMode,
    SlackRequest,
    ToolRequest,
    WebRequest,
)
from self_service_agent.shared_models.users import User

# Types that have a channel to answer on; the others are answered to their caller.
DELIVERABLE: Final = frozenset(IntegrationType) - {IntegrationType.WEB, IntegrationType.CLI, IntegrationType.TOOL}

_KEY_LIMIT: Final = 255
_AGENT_ID_LIMIT = 255
_AGENT_OF_TOOL: Final = {
    "snow-integration": "laptop-refresh-agent",
    "hr-system": "routing-agent",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """How a caller wants to be answered, as its headers say it."""

    asynchronous: bool
    stream: bool
    idempotency_key: str | None


class InvalidIdempotencyKey(ValueError):
    """The header is empty, too long or not printable."""


class InvalidAgentId(ValueError):
    """The agent that a tool names cannot be one."""


def wishes_of(headers: Mapping[str, str], query: Mapping[str, str]) -> Wishes:
    """Read `Prefer`, `Accept` and `Idempotency-Key`, or raise `InvalidIdempotencyKey`."""
    key = headers.get("idempotency-key")
    if key is not None and not (0 < len(key) <= _KEY_LIMIT and key.isprintable()):
        raise InvalidIdempotencyKey("Idempotency-Key must have 1 to 255 printable characters")
    wishes = _wishes(headers.get("prefer", ""), headers.get("accept", ""), query.get("async", ""))
    return wishes if key is None else replace(wishes, idempotency_key=key)


@lru_cache(maxsize=256)
def _wishes(prefer: str, accept: str, asynchronous: str) -> Wishes:
    return Wishes(
        asynchronous="respond-async" in prefer.lower() or asynchronous.lower() in {"true", "1"},
        stream="text/event-stream" in accept.lower(),
        idempotency_key=None,
    )


def delivery_of(request: BaseRequest, *, asynchronous: bool) -> DeliveryChoice:
    """Return where the answer goes: what the caller chose, else the caller when it waits, else the named channel."""
    chosen = request.delivery or DeliveryChoice()
    channels = chosen.channels or ((request.integration_type,) if request.integration_type in DELIVERABLE else ())
    if request.delivery is not None and "mode" in request.delivery.model_fields_set:
        return DeliveryChoice(mode=chosen.mode, channels=channels)
    if asynchronous and channels:
        return DeliveryChoice(mode=DeliveryMode.CHANNELS, channels=channels)
    return DeliveryChoice(mode=DeliveryMode.REPLY, channels=channels)


def delivery_json(request: BaseRequest, *, asynchronous: bool) -> str:
    """Return where the answer goes, as it is stored."""
    if request.delivery is None:
        return _usual_delivery(request.integration_type, asynchronous=asynchronous)
    return delivery_of(request, asynchronous=asynchronous).model_dump_json()


@lru_cache(maxsize=256)
def _usual_delivery(integration_type: IntegrationType, *, asynchronous: bool) -> str:
    request = BaseRequest(integration_type=integration_type, user_id="anybody", content="anything")
    return delivery_of(request, asynchronous=asynchronous).model_dump_json()


def thread_of(request: BaseRequest) -> tuple[str | None, str | None]:
    """Return the channel and the thread that a request belongs to, where its door has such things."""
    return (request.channel_id, request.thread_id) if isinstance(request, SlackRequest) else (None, None)


def normalized(
    request: BaseRequest, user: User, *, request_id: str, stream_to: str | None, now: datetime, traceparent: str
) -> str:
    """Return the JSON of a `NormalizedRequest`, but for the session, which is found as the request is stored.

    What the request leads to belongs to the story of `traceparent`.
    """
    target = target_agent_of(request)
    # Written without building the model: every value has been checked at the door, and this is on the hottest path.
    return orjson.dumps(
        {
            "request_id": request_id,
            "user_id": user.user_id,
            "integration_type": request.integration_type,
            "request_type": request.request_type,
            "content": request.content.strip(),
            "integration_context": integration_context_of(request) | {"traceparent": traceparent},
            "user_context": {"email": user.email, "login": user.login},
            "target_agent_id": target,
            "requires_routing": target is None,
            "stream_to": stream_to,
            "created_at": now,
        }
    ).decode()


def fingerprint_of(request: BaseRequest) -> str:
    """Return a digest by which a repeated Idempotency-Key is told from a reused one."""
    if isinstance(request, AddressedRequest):
        return request.digest
    return hashlib.sha256(request.model_dump_json().encode()).hexdigest()


def integration_context_of(request: BaseRequest) -> dict[str, Any]:
    """Return what the entry point knows about where a request came from."""
    context: dict[str, Any] = {"platform": request.integration_type.lower()}
    if request.metadata:
        context["metadata"] = request.metadata
    match request:
        case SlackRequest():
            context |= {
                "channel_id": request.channel_id,
                "thread_id": request.thread_id,
                "slack_user_id": request.slack_user_id,
                "slack_team_id": request.slack_team_id,
            }
        case WebRequest():
            context |= {
                "client_ip": request.client_ip,
                "user_agent": request.user_agent,
                "has_session": request.session_token is not None,
            }
        case CLIRequest():
            context |= {"cli_session_id": request.cli_session_id, "command_context": request.command_context}
        case ToolRequest():
            context |= {
                "tool_id": request.tool_id,
                "tool_instance_id": request.tool_instance_id,
                "trigger_event": request.trigger_event,
                "tool_context": request.tool_context,
            }
        case _:
            pass
    return {name: value for name, value in context.items() if value is not None}


def target_agent_of(request: BaseRequest) -> str | None:
    """Return the agent that a request goes to without routing, or raise `InvalidAgentId`."""
    if isinstance(request, AddressedRequest):
        return request.target_agent_id
    if not isinstance(request, ToolRequest):
        return None
    named = request.tool_context.get("target_agent_id") or request.metadata.get("target_agent_id")
    if not isinstance(named, str) or not named:
        return _AGENT_OF_TOOL.get(request.tool_id)
    if len(named) > _AGENT_ID_LIMIT:
        raise InvalidAgentId(f"target_agent_id may have at most {_AGENT_ID_LIMIT} characters")
    return named
