"""What can go wrong between a caller and a service, by what the caller can do next."""

from collections.abc import Mapping
from typing import Any

from self_service_agent.shared_models.requests import RequestAccepted


class ClientError(Exception):
    """The service was not reached or did not do what it was asked."""


class Unreachable(ClientError):
    """No answer, although it was tried again where that is safe; asking once more with the same key is safe too."""


class Unintelligible(ClientError):
    """Something answered that is not this service: a proxy, a login page, or another server at this address."""


class StillWorking(ClientError):
    """The request is accepted and its answer is not there yet; `accepted` says where it will be."""

    def __init__(self, accepted: RequestAccepted) -> None:
        super().__init__(f"request {accepted.request_id} is not answered yet")
        self.accepted = accepted


class Refused(ClientError):
    """The service said no; `problem` is its RFC 9457 document."""

    def __init__(self, status: int, message: str, *, problem: Mapping[str, Any], retry_after: float | None) -> None:
        super().__init__(message)
        self.status = status
        self.problem = problem
        self.retry_after = retry_after


class Unauthenticated(Refused):
    """The key is missing or not known there."""


class Forbidden(Refused):
    """The key is known and does not allow this."""


class NotFound(Refused):
    """There is no such thing, or it is somebody else's."""


class Conflict(Refused):
    """It is not in a state for that: an answered request cannot be cancelled, a taken place not be resumed on."""


class Gone(Refused):
    """It was there once and will not come back."""


class Invalid(Refused):
    """The request itself is wrong; sending it again will not help."""


class Busy(Refused):
    """Not now; `retry_after` says in how many seconds it is welcome again, if it was said."""


class RateLimited(Busy):
    """The caller asks more often than it may."""


class Unavailable(Busy):
    """The service, or what stands before it, cannot answer anybody at the moment."""


class ServerFault(Refused):
    """Something is wrong on the other side."""
