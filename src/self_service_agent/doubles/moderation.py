"""A classifier of messages that finds what its script tells it to, behind the form of OpenAI's moderations."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from self_service_agent.kit.ids import new_id

CATEGORIES = ("harassment", "hate", "illicit", "self-harm", "sexual", "violence")


class Fault(StrEnum):
    """A way in which real classifiers fail."""

    SERVER_ERROR = "server-error"
    REFUSED_KEY = "refused-key"
    NOT_JSON = "not-json"
    WRONG_SHAPE = "wrong-shape"
    NO_RESULT = "no-result"
    MISSING_CATEGORY = "missing-category"
    UNANSWERED_CATEGORY = "unanswered-category"
    SILENCE = "silence"
    HUGE = "huge"


_BODIES: Mapping[Fault, tuple[int, str]] = {
    Fault.SERVER_ERROR: (500, '{"error": {"message": "boom"}}'),
    Fault.REFUSED_KEY: (401, '{"error": {"message": "no such key"}}'),
    Fault.NOT_JSON: (200, "<html>It works!</html>"),
    Fault.WRONG_SHAPE: (200, '{"results": [{"flagged": "no", "categories": []}]}'),
    Fault.NO_RESULT: (200, '{"results": []}'),
    Fault.HUGE: (200, "a" * 1_000_000),
}


@dataclass(kw_only=True)
class ModerationScript:
    """`finds` are categories by a part of the text; `always` is a fault of every call.

    `flagged_only` are parts of texts that are flagged without a category. `asked` remembers the bodies of all requests.
    """

    finds: dict[str, tuple[str, ...]] = field(default_factory=dict)
    flagged_only: tuple[str, ...] = ()
    always: Fault | None = None
    silence: timedelta = timedelta(seconds=30)
    asked: list[dict[str, Any]] = field(default_factory=list)

    def answer(self, text: str) -> dict[str, Any]:
        """Return what is found in `text`."""
        found = {name for part, names in self.finds.items() if part in text for name in names}
        categories: dict[str, bool | None] = {name: name in found for name in (*CATEGORIES, *found)}
        if self.always is Fault.MISSING_CATEGORY:
            del categories["violence"]
        if self.always is Fault.UNANSWERED_CATEGORY:
            categories["violence"] = None
        scores = {name: float(bool(is_found)) for name, is_found in categories.items()}
        flagged = bool(found) or any(part in text for part in self.flagged_only)
        result = {"flagged": flagged, "categories": categories, "category_scores": scores}
        return {"id": f"modr-{new_id()}", "model": "scripted-moderation", "results": [result]}


def create_app(script: ModerationScript) -> FastAPI:
    """Return the server; it answers at /v1/moderations."""
    app = FastAPI(title="Scripted classifier")

    @app.post("/v1/moderations")
    async def moderate(request: Request) -> Response:
        body = await request.json()
        script.asked.append(body)
        if script.always is Fault.SILENCE:
            await asyncio.sleep(script.silence.total_seconds())
        broken = _BODIES.get(script.always) if script.always else None
        if broken is not None:
            return Response(broken[1], status_code=broken[0], media_type="application/json")
        return JSONResponse(script.answer(body["input"]))

    return app
