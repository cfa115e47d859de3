"""The request manager, put together."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from http import HTTPStatus

from fastapi import FastAPI

from self_service_agent.eventing.bus import Binding
from self_service_agent.eventing.platform import platform_of
from self_service_agent.kit.group_writer import Overloaded
from self_service_agent.kit.service import Service
from self_service_agent.shared_models import events
from self_service_agent.shared_models.events import ResponseReady
from self_service_agent.shared_models.users import UnusableName

from .authentication.rules import Forbidden, Unauthenticated, people_keys, tool_keys
from .authentication.service import Authentication
from .requests import endpoints, lookups
from .requests.dependencies import Doors
from .requests.repository import IdempotencyKeyReused, SessionUnavailable, UnstorableRequest
from .requests.rules import InvalidAgentId, InvalidIdempotencyKey
from .requests.service import Policy, Requests
from .results.handlers import record_responses
from .results.progress import Followers
from .results.waiters import Waiters
from .settings import RequestManagerSettings

_PROBLEMS = {
    SessionUnavailable: HTTPStatus.NOT_FOUND,
    InvalidIdempotencyKey: HTTPStatus.BAD_REQUEST,
    InvalidAgentId: HTTPStatus.UNPROCESSABLE_ENTITY,
    IdempotencyKeyReused: HTTPStatus.UNPROCESSABLE_ENTITY,
    Overloaded: HTTPStatus.SERVICE_UNAVAILABLE,
    UnstorableRequest: HTTPStatus.UNPROCESSABLE_ENTITY,
}


def authentication(
    settings: RequestManagerSettings,
    *,
    development_logins: Iterable[tuple[str, str]] = (),
    development_tool_keys: Iterable[tuple[str, str]] = (),
) -> Service:
    """Return the part that knows callers, for every service of a process with doors of its own.

    The development keys are the caller's to give, and only in development.
    """
    people = people_keys(web_api_keys=settings.web_api_keys, development_logins=development_logins)
    tools = tool_keys(settings.tool_keys, development=development_tool_keys)

    @asynccontextmanager
    async def run(app: FastAPI) -> AsyncIterator[None]:
        known = Authentication(
            platform_of(app).pools.durable,
            people=people,
            tools=tools,
            slack_signing_secret=settings.slack_signing_secret,
        )
        app.state.authentication = known
        app.state.authorize_user = known.authorize_user
        app.state.authorize_admin = known.authorize_admin
        yield

    problems = {
        Unauthenticated: HTTPStatus.UNAUTHORIZED,
        Forbidden: HTTPStatus.FORBIDDEN,
        UnusableName: HTTPStatus.UNPROCESSABLE_ENTITY,
    }
    return Service(name="authentication", open=run, problems=problems)


def request_manager(settings: RequestManagerSettings) -> Service:
    """Return the service; it needs the part that knows callers."""

    @asynccontextmanager
    async def run(app: FastAPI) -> AsyncIterator[None]:
        platform = platform_of(app)
        waiters = Waiters(platform.pools.durable, platform.notifier)
        platform.bus.consume(
            events.REQUEST_MANAGER,
            {
                events.RESPONSE_READY: Binding(
                    data=ResponseReady, handle=partial(record_responses, bus=platform.bus, waiters=waiters)
                )
            },
        )
        requests = Requests(platform.pools, platform.bus, waiters, policy=_policy(settings))
        app.state.request_manager = Doors(
            pool=platform.pools.durable,
            authentication=app.state.authentication,
            requests=requests,
            followers=Followers(platform.notifier),
            anonymous_generic=settings.allow_anonymous_generic,
        )
        async with waiters.running():
            yield
            await requests.close()

    return Service(
        name=events.REQUEST_MANAGER,
        open=run,
        routers=(endpoints.router, lookups.router),
        problems=_PROBLEMS,
    )


def _policy(settings: RequestManagerSettings) -> Policy:
    return Policy(
        session_lifetime=settings.session_lifetime,
        session_per_integration_type=settings.session_per_integration_type,
        patience=timedelta(seconds=settings.agent_timeout),
    )
