"""Signs a message by the Standard Webhooks scheme, version 1 (HMAC-SHA256)."""

import base64
import binascii
import hashlib
import hmac
from datetime import datetime

_PREFIX = "whsec_"


def signing_key(secret: str) -> bytes:
    """Return the key inside `whsec_<base64>`, or raise ValueError; prefix and padding may be missing."""
    encoded = secret.removeprefix(_PREFIX).rstrip("=")
    try:
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("must be base64, as in whsec_MfKQ9r8G...") from None
    if not key:
        raise ValueError("must not be empty")
    return key


def signature_headers(key: bytes, *, message_id: str, now: datetime, body: bytes) -> dict[str, str]:
    """Return the three headers by which a receiver knows the sender, the attempt's time and a repetition."""
    timestamp = str(int(now.timestamp()))
    digest = hmac.digest(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
