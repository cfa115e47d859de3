"""What an agent says on the way to its answer, for callers that follow the turn as it happens."""

import re
from collections import OrderedDict
from typing import Any

import orjson

from self_service_agent.kit.notifications import Notifier
from self_service_agent.shared_models.requests import NormalizedRequest

_PIECE = re.compile(r"\S+\s*|\s+")
_REMEMBERED = 10_000


class Progress:
    """Tells followers, in whichever process they are; nobody following costs nothing, and a loss loses no answer.

    A follower is there from the start, as the request says, or joins later: then its process says so to all others.
    """

    def __init__(self, notifier: Notifier) -> None:
        self._notifier = notifier
        self._joined: OrderedDict[str, set[str]] = OrderedDict()
        notifier.listen("progress/follow", self._remember)
        notifier.notify("progress/who")

    def say(self, request: NormalizedRequest, kind: str, data: dict[str, Any], *, end: int = 0) -> None:
        """Tell something; `end` is where in the answer's text a piece of it ends."""
        replicas = self._replicas(request)
        if not replicas:
            return
        message = _message(request.request_id, kind, data, end=end)
        for replica in replicas:
            self._notifier.notify(f"progress/{replica}", message)

    def tokens(self, request: NormalizedRequest, content: str) -> None:
        """Tell a finished text piece by piece, in the form in which a model's words would come."""
        if not self._replicas(request):
            return
        for piece in _PIECE.finditer(content):
            self.say(request, "token", {"text": piece[0]}, end=piece.end())

    def _replicas(self, request: NormalizedRequest) -> set[str]:
        joined = self._joined.get(request.request_id, set())
        return joined if request.stream_to is None else joined | {request.stream_to}

    def _remember(self, message: str) -> None:
        """Note who follows from now on, and have them look at what was said before."""
        if not message:
            return
        request_id, replica = orjson.loads(message)
        self._joined.setdefault(request_id, set()).add(replica)
        if len(self._joined) > _REMEMBERED:
            self._joined.popitem(last=False)
        if replica != self._notifier.replica:
            self._notifier.notify(f"progress/{replica}", _message(request_id, "look", {}, end=0))


def _message(request_id: str, kind: str, data: dict[str, Any], *, end: int) -> str:
    return orjson.dumps({"request_id": request_id, "kind": kind, "data": data, "end": end}).decode()
