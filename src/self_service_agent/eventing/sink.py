"""The door for events from outside: an event is stored before it is acknowledged, and worked on from there."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus

from fastapi import APIRouter, FastAPI, Request, Response

from self_service_agent.kit import clock
from self_service_agent.kit.database import finish
from self_service_agent.kit.problems import Problem
from self_service_agent.kit.service import Service
from self_service_agent.kit.service_tokens import InvalidServiceToken, ServiceTokens
from self_service_agent.shared_models.events import SUBSCRIPTIONS

from .envelope import CloudEvent, InvalidEvent, UnsupportedFormat, from_http, from_http_batch
from .platform import Platform, platform_of

AUDIENCE = "events"

router = APIRouter(tags=["events"])


# Tells whether a token that is not one of ours belongs to a broker that may bring events.
MayBring = Callable[[str], Awaitable[bool]]


def event_sink(tokens: ServiceTokens) -> Service:
    """Return the door; `tokens` is what verifies the services that may come in.

    Brokers with tokens of another issuer come in where `app.state.may_bring_events` is set before.
    """

    @asynccontextmanager
    async def run(app: FastAPI) -> AsyncIterator[None]:
        app.state.event_tokens = tokens
        yield

    return Service(
        name="events",
        open=run,
        routers=(router,),
        problems={InvalidEvent: HTTPStatus.BAD_REQUEST, UnsupportedFormat: HTTPStatus.UNSUPPORTED_MEDIA_TYPE},
    )


@router.post(
    "/api/v1/events/cloudevents",
    status_code=HTTPStatus.ACCEPTED,
    response_class=Response,
    responses={400: {"description": "Not a CloudEvent"}, 401: {"description": "No service credential"}},
)
async def receive_event(request: Request) -> Response:
    """Take CloudEvents, binary, structured or batched. 202: stored, or of no interest here; a batch is all or none."""
    await _check_credential(request.app, request.headers)
    events = _events(request.headers, await request.body())
    await finish(_store(platform_of(request.app), events))
    return Response(status_code=HTTPStatus.ACCEPTED)


async def _check_credential(app: FastAPI, headers: Mapping[str, str]) -> None:
    tokens: ServiceTokens = app.state.event_tokens
    may_bring: MayBring | None = getattr(app.state, "may_bring_events", None)
    scheme, _, token = headers.get("authorization", "").partition(" ")
    token = token if scheme.lower() == "bearer" else ""
    try:
        tokens.verify(token, audience=AUDIENCE, now=clock.now())
    except InvalidServiceToken:
        if may_bring is None or not await may_bring(token):
            raise Problem(401, "send a service credential", headers={"www-authenticate": "Bearer"}) from None


def _events(headers: Mapping[str, str], body: bytes) -> tuple[CloudEvent, ...]:
    is_batch = headers.get("content-type", "").lower().startswith("application/cloudevents-batch")
    events = from_http_batch(headers, body) if is_batch else (from_http(headers, body),)
    for event in events:
        if event.type in SUBSCRIPTIONS:
            event.json()  # what is stored is JSON
    return events


async def _store(platform: Platform, events: tuple[CloudEvent, ...]) -> None:
    async with platform.pools.durable.acquire() as connection, connection.transaction():
        await platform.bus.publish(events, connection)
    platform.bus.published(*{event.type for event in events})
