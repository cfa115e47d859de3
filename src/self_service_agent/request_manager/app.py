"""The request manager, put together."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from http import HTTPStatus

import asyncpg
from fastapi import FastAPI

from self_service_agent.eventing.bus import Binding
from self_service_agent.eventing.platform import platform_of
from self_service_agent.kit.group_writer import Overloaded
from self_service_agent.kit.http.client import Client
from self_service_agent.kit.http.egress import EgressPolicy
from self_service_agent.kit.service import Service
from self_service_agent.kit.settings import read
from self_service_agent.shared_models import events
from self_service_agent.shared_models.audit.log import AuditLog
from self_service_agent.shared_models.events import RequestFollowedUp, ResponseReady
from self_service_agent.shared_models.sessions import scope_policies
from self_service_agent.shared_models.users import UnusableName

from .admission.service import Admission, creations
from .admission.settings import AdmissionSettings
from .audit import endpoints as audits
from .audit.retention import cleaning
from .authentication.brokers import Brokers
from .authentication.gateway import GatewayHeaders, GatewaySettings
from .authentication.issuers import EventSinkSettings, JwtSettings
from .authentication.key_sets import KeySets
from .authentication.rules import Forbidden, KeysUnavailable, Unauthenticated
from .authentication.service import Authentication
from .authentication.tokens import TokenVerifier
from .conversations import endpoints as conversations
from .followups.handlers import follow_up
from .keys import endpoints as keys
from .keys.desk import KeyDesk
from .keys.environment import development_keys, environment_keys
from .keys.service import ApiKeys
from .openai_api import endpoints as openai_api
from .openai_api.errors import in_openai_form
from .openai_api.service import Models
from .requests import endpoints, lookups
from .requests.dependencies import Doors
from .requests.repository import IdempotencyKeyReused, PersonChanged, SessionUnavailable, UnstorableRequest
from .requests.rules import InvalidAgentId, InvalidIdempotencyKey
from .requests.service import Policy, Requests
from .results.handlers import record_responses
from .results.progress import Followers
from .results.waiters import RequestErased, Waiters
from .settings import RequestManagerSettings

_PROBLEMS = {
    SessionUnavailable: HTTPStatus.NOT_FOUND,
    InvalidIdempotencyKey: HTTPStatus.BAD_REQUEST,
    InvalidAgentId: HTTPStatus.UNPROCESSABLE_ENTITY,
    IdempotencyKeyReused: HTTPStatus.UNPROCESSABLE_ENTITY,
    Overloaded: HTTPStatus.SERVICE_UNAVAILABLE,
    UnstorableRequest: HTTPStatus.UNPROCESSABLE_ENTITY,
    PersonChanged: HTTPStatus.SERVICE_UNAVAILABLE,
    RequestErased: HTTPStatus.GONE,
}


def authentication(
    settings: RequestManagerSettings,
    *,
    policy: EgressPolicy,
    development_logins: Iterable[tuple[str, str]] = (),
    development_tool_keys: Iterable[tuple[str, str]] = (),
) -> Service:
    """Return the part that knows callers, for every service of a process with doors of its own.

    The development keys are the caller's to give, and only in development. Issuers are reached as `policy` allows.
    """
    jwt, gateway, sink = read(JwtSettings), read(GatewaySettings), read(EventSinkSettings)
    issuers = jwt.jwt_issuers if jwt.jwt_enabled else ()
    environment = development_keys(logins=development_logins, tool_keys=development_tool_keys) | environment_keys(
        web_api_keys=settings.web_api_keys, tool_keys=settings.tool_keys
    )

    @asynccontextmanager
    async def run(app: FastAPI) -> AsyncIterator[None]:
        platform = platform_of(app)
        pool = platform.pools.durable
        audit = AuditLog(platform.pools.relaxed)
        api_keys = ApiKeys(pool, platform.notifier, environment)
        async with (
            Client.open(policy=policy, user_agent="self-service-agent") as http,
            KeySets.open(issuers, http) as key_sets,
            KeySets.open(sink.event_sink_issuers, http) as sink_key_sets,
            audit.running(),
            api_keys.running(),
            cleaning(pool, settings.keeping),
        ):
            known = Authentication(
                pool,
                platform.notifier,
                audit,
                keys=api_keys,
                tokens=TokenVerifier(issuers, key_sets, leeway=timedelta(seconds=jwt.jwt_leeway_seconds)),
                gateway=GatewayHeaders(trusted=gateway.trusted_proxies, roles=gateway.gateway_roles),
                slack_signing_secret=settings.slack_signing_secret,
            )
            if sink.event_sink_issuers:
                leeway = timedelta(seconds=jwt.jwt_leeway_seconds)
                verifier = TokenVerifier(sink.event_sink_issuers, sink_key_sets, leeway=leeway)
                brokers = Brokers(verifier, subjects=sink.event_sink_subjects)
                app.state.may_bring_events = brokers.may_bring_events
            app.state.authentication = known
            app.state.authorize_user = known.authorize_user
            app.state.authorize_admin = known.authorize_admin
            app.state.caller_of = known.caller_of
            app.state.note_refusal = known.note_refusal
            app.state.admit_creation = creations(read(AdmissionSettings)).admit
            app.state.key_desk = KeyDesk(pool, api_keys, audit)
            app.state.audit_pool = pool
            app.state.audit_log = audit
            yield

    problems = {
        Unauthenticated: HTTPStatus.UNAUTHORIZED,
        KeysUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
        Forbidden: HTTPStatus.FORBIDDEN,
        UnusableName: HTTPStatus.UNPROCESSABLE_ENTITY,
        # Whoever it is about was erased, or made one with another person, while this was being written: try again.
        asyncpg.ForeignKeyViolationError: HTTPStatus.SERVICE_UNAVAILABLE,
        **keys.PROBLEMS,
    }
    return Service(name="authentication", open=run, routers=(keys.router, audits.router), problems=problems)


def request_manager(settings: RequestManagerSettings, *, limits: AdmissionSettings) -> Service:
    """Return the service; it needs the part that knows callers."""

    @asynccontextmanager
    async def run(app: FastAPI) -> AsyncIterator[None]:
        platform = platform_of(app)
        waiters = Waiters(platform.pools.durable, platform.notifier)
        followers = Followers(platform.notifier)
        app.state.farewells.append(followers.leave)
        platform.bus.consume(
            events.REQUEST_MANAGER,
            {
                events.RESPONSE_READY: Binding(
                    data=ResponseReady,
                    handle=partial(record_responses, bus=platform.bus, waiters=waiters, followers=followers),
                ),
                events.REQUEST_FOLLOWED_UP: Binding(
                    data=RequestFollowedUp,
                    handle=partial(follow_up, bus=platform.bus, lifetime=settings.session_lifetime),
                ),
            },
        )
        app.state.conversations_pool = platform.pools.durable
        requests = Requests(platform.pools, platform.bus, waiters, policy=_policy(settings))
        admission = Admission(limits, platform.pools.durable)
        app.state.request_manager = Doors(
            pool=platform.pools.durable,
            authentication=app.state.authentication,
            requests=requests,
            followers=followers,
            anonymous_generic=settings.allow_anonymous_generic,
            admission=admission,
        )
        app.state.openai_models = Models(app.state.request_manager, jwt_secret=settings.openwebui_jwt_secret)
        async with waiters.running():
            with admission.running(app):
                yield
            await requests.close()

    return Service(
        name=events.REQUEST_MANAGER,
        open=run,
        routers=(
            endpoints.router,
            lookups.router,
            conversations.router,
            openai_api.router,
            openai_api.light_router,
        ),
        problems=_PROBLEMS,
        error_forms={"/v1/": in_openai_form},
    )


def _policy(settings: RequestManagerSettings) -> Policy:
    return Policy(
        session_lifetime=settings.session_lifetime,
        scopes=scope_policies(settings.session_scopes, per_integration_type=settings.session_per_integration_type),
        patience=timedelta(seconds=settings.agent_timeout),
    )
