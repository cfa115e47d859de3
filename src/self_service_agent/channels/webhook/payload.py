"""Turns a reply into a webhook request, and the receiver's answer into a receipt."""

import base64
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any

import orjson
from multidict import CIMultiDict
from pydantic import SecretStr, ValidationError

from self_service_agent.channels.base import (
    NoAddress,
    PermanentDeliveryError,
    Person,
    Receipt,
    Reply,
    TransientDeliveryError,
    check_fields,
    complaints,
)
from self_service_agent.kit.http.headers import retry_after

from .config import WebhookAddress
from .signature import signature_headers, signing_key

_TRY_AGAIN = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})


def address_of(_person: Person, config: Mapping[str, Any], _origin: Mapping[str, Any]) -> WebhookAddress:
    """Read the receiver from a user's effective configuration, or raise `NoAddress` naming the field that is wrong."""
    try:
        return WebhookAddress.model_validate(config)
    except ValidationError as error:
        raise NoAddress(complaints(error)) from None


def check_config(config: Mapping[str, Any]) -> None:
    """Raise `InvalidConfig` for what no request could be made of."""
    check_fields(WebhookAddress, config)


def body(reply: Reply) -> bytes:
    """Return the JSON that a receiver gets: the same bytes on every attempt."""
    return orjson.dumps(
        {
            "delivery_id": reply.delivery_id,
            "request_id": reply.request_id,
            "session_id": reply.session_id,
            "user_id": reply.person.user_id,
            "agent_id": reply.agent_id,
            "subject": reply.subject,
            "content": reply.content,
            "metadata": dict(reply.metadata),
            "timestamp": reply.created_at.isoformat(),
        }
    )


def headers(
    reply: Reply, address: WebhookAddress, *, content: bytes, secret: SecretStr | None, now: datetime
) -> Mapping[str, str]:
    """Return the request's headers; `secret` signs where the address has none of its own."""
    result: CIMultiDict[str] = CIMultiDict(address.headers)
    result.update(_credential(address))
    if signing := address.secret or secret:
        key = signing_key(signing.get_secret_value())
        result.update(signature_headers(key, message_id=reply.delivery_id, now=now, body=content))
    result.update({"X-Request-ID": reply.request_id, "X-Session-ID": reply.session_id})
    result.update({"Content-Type": "application/json"})
    return result


def read_receipt(status: int, answer_headers: Mapping[str, str], *, now: datetime) -> Receipt:
    """Turn the receiver's answer into a receipt, or into the error it stands for.

    As Standard Webhooks has it, 2xx alone is success, a redirect is a failure and 410 is the end. 408, 425, 429 and
    5xx pass with time; every other 4xx, 404 among them, stays until somebody changes the address.
    """
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Receipt(detail={"status": status})
    if status in _TRY_AGAIN or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise TransientDeliveryError(f"http {status}", retry_after=retry_after(answer_headers, now=now))
    raise PermanentDeliveryError(f"http {status}")


def _credential(address: WebhookAddress) -> dict[str, str]:
    match address.auth_type:
        case "bearer":
            return {"Authorization": f"Bearer {_plain(address.token)}"}
        case "api_key":
            return {address.key_header: _plain(address.api_key or address.token)}
        case "basic":
            pair = f"{address.username}:{_plain(address.password)}".encode()
            return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
        case None:
            return {}


def _plain(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""
