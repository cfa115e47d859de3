"""An app that fails in every way an app can."""

from typing import Annotated

from fastapi import FastAPI, HTTPException, Query
from pydantic import BaseModel, Field
from starlette.responses import StreamingResponse

from self_service_agent.kit.problems import Problem, install


class Busy(Exception):
    def __init__(self, message, retry_after=None):
        super().__init__(message)
        self.retry_after = retry_after


class Missing(Exception):
    pass


class Cat(BaseModel):
    name: str = Field(min_length=9)
    age: int


class Shelter(BaseModel):
    cats: list[Cat]


ERRORS = {
    "problem": Problem(
        409,
        "already decided",
        title="Too late",
        type="https://errors.example/late",
        headers={"x-a": "b"},
        extra={"n": 1},
    ),
    "http": HTTPException(401, "no credential", headers={"www-authenticate": "Bearer"}),
    "bare": HTTPException(403),
    "structured": HTTPException(400, {"reason": "odd"}),
    "unnamed": HTTPException(499),
    "empty": HTTPException(304, headers={"etag": "x"}),
    "missing": Missing("no such delivery"),
    "busy": Busy("later", 1.2),
    "busier": Busy("later"),
    "surprise": RuntimeError("password is hunter2"),
}


def an_app():
    app = FastAPI(max_body_size=1000)

    @app.get("/errors/{name}")
    async def fail(name: str) -> None:
        raise ERRORS[name]

    @app.post("/shelters")
    async def found(shelter: Shelter, limit: Annotated[int, Query()] = 10) -> None: ...

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        async def pieces():
            yield b"first"
            raise RuntimeError("cut")

        return StreamingResponse(pieces())

    install(app, {Missing: 404, Busy: 503})
    return app
