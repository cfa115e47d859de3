"""Clients of our own services, for programs outside."""

from .authentication import ToolKey
from .errors import (
    Busy,
    ClientError,
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    RateLimited,
    Refused,
    ServerFault,
    StillWorking,
    Unauthenticated,
    Unavailable,
    Unintelligible,
    Unreachable,
)
from .request_manager import RequestManagerClient
from .retries import Retries

__all__ = [
    "Busy",
    "ClientError",
    "Conflict",
    "Forbidden",
    "Gone",
    "Invalid",
    "NotFound",
    "RateLimited",
    "Refused",
    "RequestManagerClient",
    "Retries",
    "ServerFault",
    "StillWorking",
    "ToolKey",
    "Unauthenticated",
    "Unavailable",
    "Unintelligible",
    "Unreachable",
]
