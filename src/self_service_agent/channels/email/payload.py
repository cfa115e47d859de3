"""Turns a reply into a mail, and what SMTP says into a receipt."""

import re
from collections.abc import Mapping
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy, Policy
from typing import Any

from pydantic import ValidationError

from self_service_agent.channels.base import (
    DeliveryError,
    NoAddress,
    PermanentDeliveryError,
    Person,
    Reply,
    TransientDeliveryError,
    check_fields,
    complaints,
)

from . import body
from .body import one_line
from .config import EmailAddress

_SUBJECT = "Answer to your request"
_REPLY_PREFIX = re.compile(r"\s*(re|aw|antw|sv)\s*:", re.IGNORECASE)
_MESSAGE_ID = re.compile(r"<[\x21-\x3b\x3d\x3f-\x7e]{1,900}>")
_REFERENCES = 20
_LOGIN_NEEDED = frozenset({530, 534, 535, 538})
_NEVER = 500


def address_of(person: Person, config: Mapping[str, Any], _origin: Mapping[str, Any]) -> EmailAddress:
    """Return the configured address, else the person's own, or raise `NoAddress` naming what is missing or wrong."""
    address = config.get("email_address") or person.email
    if not address:
        raise NoAddress("no e-mail address is known")
    try:
        return EmailAddress.model_validate({**config, "email_address": address})
    except ValidationError as error:
        raise NoAddress(complaints(error)) from None


def check_config(config: Mapping[str, Any]) -> None:
    """Raise `InvalidConfig` for what no mail could be sent by; without an address of its own, the person's counts."""
    check_fields(EmailAddress, {key: value for key, value in config.items() if value or key != "email_address"})


def message_id(reply: Reply, *, sender: str) -> str:
    """Return the id that every attempt of this delivery carries, so that a mailbox shows it once."""
    return f"<{reply.delivery_id}@{sender.rpartition('@')[2]}>"


def message(reply: Reply, address: EmailAddress, *, sender: str, sender_name: str) -> bytes:
    """Return the mail as it goes over the line."""
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = Address(display_name=sender_name, addr_spec=sender)
    mail["To"] = address.email_address
    mail["Subject"] = _subject(reply)
    mail["Date"] = reply.created_at
    mail["Message-ID"] = message_id(reply, sender=sender)
    for name, value in _thread_headers(reply.origin).items():
        mail[name] = value
    for name, value in _our_headers(reply).items():
        mail[name] = value
    mail.set_content(body.text(reply, with_footer=address.include_agent_info))
    if address.format == "html":
        mail.add_alternative(body.html(reply, with_footer=address.include_agent_info), subtype="html")
    return mail.as_bytes()


def refusal(code: int, text: str) -> DeliveryError:
    """Turn the server's no into the error it stands for; a no to our login is the operator's, not the reply's."""
    reason = f"smtp {code} {one_line(text)}"
    if code in _LOGIN_NEEDED or not _NEVER <= code < _NEVER + 100:
        return TransientDeliveryError(reason)
    return PermanentDeliveryError(reason)


class _MessageIds(UnstructuredHeader, BaseHeader):
    """Folds between message ids only: the usual folding would encode a long one, which breaks the thread."""

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {f'{policy.linesep} '.join(str(self).split())}{policy.linesep}"


def _policy() -> "EmailPolicy[EmailMessage]":
    headers = HeaderRegistry()
    for name in ("message-id", "in-reply-to", "references"):
        headers.map_to_type(name, _MessageIds)
    # 7bit: not every server takes 8-bit content, and the line length stays within limits.
    return SMTP.clone(header_factory=headers, cte_type="7bit")


_POLICY = _policy()


def _subject(reply: Reply) -> str:
    asked = one_line(str(reply.origin.get("email_subject") or ""))
    if reply.origin.get("email_message_id") and asked:
        return asked if _REPLY_PREFIX.match(asked) else f"Re: {asked}"
    return one_line(reply.subject or "") or _SUBJECT


def _thread_headers(origin: Mapping[str, Any]) -> dict[str, str]:
    """Return the headers that put a mail under the one it answers (RFC 5322, 3.6.4)."""
    answered = _MESSAGE_ID.findall(str(origin.get("email_message_id") or ""))[:1]
    if not answered:
        return {}
    earlier = _MESSAGE_ID.findall(str(origin.get("email_references") or "")) or _MESSAGE_ID.findall(
        str(origin.get("email_in_reply_to") or "")
    )
    chain = [each for each in earlier if each not in answered]
    # A long chain keeps its root and its newest members.
    kept = chain if len(chain) < _REFERENCES else chain[:1] + chain[2 - _REFERENCES :]
    return {"In-Reply-To": answered[0], "References": " ".join(kept + answered)}


def _our_headers(reply: Reply) -> dict[str, str]:
    # Auto-Submitted keeps other mail robots from answering (RFC 3834).
    headers = {
        "Auto-Submitted": "auto-generated",
        "X-Request-ID": one_line(reply.request_id),
        "X-Session-ID": one_line(reply.session_id),
    }
    return headers | ({"X-Agent-ID": one_line(reply.agent_id)} if reply.agent_id else {})
