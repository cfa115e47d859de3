"""The session endpoints on a real PostgreSQL; who calls is what the header says."""

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx2
import pytest
from fastapi import FastAPI, Request

from self_service_agent.agent_service.sessions import endpoints
from self_service_agent.agent_service.sessions.personal_data import endpoints as personal_data
from self_service_agent.agent_service.sessions.personal_data.service import PersonalData
from self_service_agent.agent_service.sessions.rules import SessionPolicy
from self_service_agent.agent_service.sessions.service import Sessions
from self_service_agent.kit import problems
from self_service_agent.kit.database import Pool
from self_service_agent.kit.notifications import Notifier
from self_service_agent.kit.problems import Problem
from self_service_agent.shared_models.sessions import scope_policies
from self_service_agent.shared_models.users import Caller, user_id_of
from tests.agent_service.sessions.builders import LIFETIME

_STAFF = {"operator", "admin"}


async def caller_of(request: Request) -> Caller:
    name = request.headers.get("x-caller")
    if name is None:
        raise Problem(401)
    return Caller(user_id=user_id_of(name), roles=frozenset({name} & _STAFF))


@pytest.fixture
def notifier() -> Notifier:
    return Notifier()


@pytest.fixture
async def api(pool: Pool, notifier: Notifier) -> AsyncIterator[httpx2.AsyncClient]:
    """Yield a client that calls as alice."""
    app = FastAPI()
    problems.install(app, {**endpoints.PROBLEMS, **personal_data.PROBLEMS})
    app.include_router(endpoints.router)
    app.include_router(personal_data.router)
    app.state.caller_of = caller_of
    app.state.sessions = Sessions(pool, SessionPolicy(lifetime=LIFETIME, scopes=scope_policies()))
    app.state.personal_data = PersonalData(pool=pool, notifier=notifier, patience=timedelta(milliseconds=200))
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test", headers={"x-caller": "alice"}) as client:
        yield client
