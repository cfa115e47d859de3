"""What an agent says on the way to its answer, for callers that follow the turn as it happens."""

import itertools
import re
from typing import Any

import orjson

from self_service_agent.kit.notifications import Notifier
from self_service_agent.shared_models.requests import NormalizedRequest

_PIECE = re.compile(r"\S+\s*|\s+")


class Progress:
    """Tells followers, in whichever process they are; nobody following costs nothing, and a loss loses no answer."""

    def __init__(self, notifier: Notifier) -> None:
        self._notifier = notifier
        self._numbers = itertools.count()

    def say(self, request: NormalizedRequest, kind: str, data: dict[str, Any]) -> None:
        if request.stream_to is None:
            return
        message = {"request_id": request.request_id, "number": next(self._numbers), "kind": kind, "data": data}
        self._notifier.notify(f"progress/{request.stream_to}", orjson.dumps(message).decode())

    def tokens(self, request: NormalizedRequest, content: str) -> None:
        """Tell a finished text piece by piece, in the form in which a model's words would come."""
        if request.stream_to is None:
            return
        for piece in _PIECE.findall(content):
            self.say(request, "token", {"text": piece})
