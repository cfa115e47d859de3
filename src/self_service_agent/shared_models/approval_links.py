"""Signed links by which one person may decide one approval, for a short time."""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from pydantic import SecretStr

# Where a message has it, the link to decide with is put in as the message is sent: nobody finds one that is stored.
PLACEHOLDER: Final = "[[approval-link]]"

_PURPOSE: Final = b"self-service-agent/approval-link/1"
_ID_BYTES: Final = 16
_TIME_BYTES: Final = 5
_SIGNATURE_BYTES: Final = 32
_LENGTH: Final = 2 * _ID_BYTES + _TIME_BYTES + _SIGNATURE_BYTES
_LONGEST: Final = 200


class InvalidLink(Exception):
    """The link is not one of ours."""


class LinkExpired(InvalidLink):
    """The link was one of ours, and its time is over."""


@dataclass(frozen=True, kw_only=True)
class LinkBearer:
    """Who may decide what by a link."""

    approval_id: str
    user_id: str


class ApprovalLinks:
    """Makes and reads links below `base_url`; `previous` still verifies while a secret is being rotated."""

    def __init__(self, secret: SecretStr, *, base_url: str | None, previous: SecretStr | None = None) -> None:
        self._keys = [_key(each) for each in (secret, previous) if each is not None]
        self._base_url = base_url.rstrip("/") if base_url else None

    def link(self, bearer: LinkBearer, *, until: datetime) -> str | None:
        """Return the link that is good `until` then; None if nobody knows under which address we answer."""
        if self._base_url is None:
            return None
        signed = UUID(bearer.approval_id).bytes + UUID(bearer.user_id).bytes
        signed += int(until.timestamp()).to_bytes(_TIME_BYTES, "big")
        token = base64.urlsafe_b64encode(signed + _signature(self._keys[0], signed)).rstrip(b"=").decode("ascii")
        return f"{self._base_url}/approvals/{token}"

    def read(self, token: str, *, now: datetime) -> LinkBearer:
        """Return who may decide what by `token`, or raise `InvalidLink`, `LinkExpired` for what was a good one."""
        content = _decoded(token)
        signed, signature = content[:-_SIGNATURE_BYTES], content[-_SIGNATURE_BYTES:]
        if not any(hmac.compare_digest(_signature(key, signed), signature) for key in self._keys):
            raise InvalidLink("the signature is not ours")
        until = int.from_bytes(signed[2 * _ID_BYTES :], "big")
        if now.astimezone(UTC).timestamp() >= until:
            raise LinkExpired("its time is over")
        return LinkBearer(
            approval_id=str(UUID(bytes=signed[:_ID_BYTES])),
            user_id=str(UUID(bytes=signed[_ID_BYTES : 2 * _ID_BYTES])),
        )


def _key(secret: SecretStr) -> bytes:
    """Return a key of its own, so that nothing else that is signed with the secret is ever a link."""
    return hmac.digest(secret.get_secret_value().encode(), _PURPOSE, hashlib.sha256)


def _signature(key: bytes, signed: bytes) -> bytes:
    return hmac.digest(key, signed, hashlib.sha256)


def _decoded(token: str) -> bytes:
    if len(token) > _LONGEST or not token.isascii():
        raise InvalidLink("not a link")
    try:
        content = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidLink("not a link") from error
    if len(content) != _LENGTH:
        raise InvalidLink("not a link")
    return content
