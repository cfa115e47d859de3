"""The conversation endpoint on a real PostgreSQL; who calls is what the header says."""

from collections.abc import AsyncIterator

import httpx2
import pytest
from fastapi import FastAPI

from self_service_agent.kit import problems
from self_service_agent.kit.database import Pool
from self_service_agent.request_manager.conversations import endpoints
from tests.agent_service.sessions.conftest import caller_of


@pytest.fixture
async def api(pool: Pool) -> AsyncIterator[httpx2.AsyncClient]:
    """Yield a client that calls as alice."""
    app = FastAPI()
    problems.install(app)
    app.include_router(endpoints.router)
    app.state.caller_of = caller_of
    app.state.conversations_pool = pool
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test", headers={"x-caller": "alice"}) as client:
        yield client
