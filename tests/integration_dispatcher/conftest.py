"""The dispatcher's endpoints in an application whose callers name themselves in a header."""

from collections.abc import AsyncIterator

import httpx2
import pytest
from fastapi import FastAPI, Request

from self_service_agent.integration_dispatcher.deliveries import endpoints as deliveries
from self_service_agent.integration_dispatcher.deliveries.planning import Planning
from self_service_agent.integration_dispatcher.deliveries.service import Deliveries
from self_service_agent.integration_dispatcher.preferences import endpoints as preferences
from self_service_agent.integration_dispatcher.preferences.service import Preferences
from self_service_agent.kit import problems
from self_service_agent.kit.database import Pool
from self_service_agent.kit.notifications import Notifier
from self_service_agent.kit.problems import Problem
from self_service_agent.shared_models.users import user_id_of
from tests.integration_dispatcher.builders import TEST, a_config, a_planning, an_open_channel


async def authorize_user(request: Request, user_id: str | None) -> None:
    caller = request.headers.get("x-caller")
    if caller is None:
        raise Problem(401)
    if caller != "admin" and user_id not in {None, caller, user_id_of(caller)}:
        raise Problem(403)


async def authorize_admin(request: Request) -> None:
    await authorize_user(request, None)
    if request.headers["x-caller"] != "admin":
        raise Problem(403)


@pytest.fixture
def planning() -> Planning:
    """Return what plans deliveries where the testing channel is open, and its default holds a secret."""
    opened = an_open_channel()
    return a_planning(opened, defaults={TEST: a_config(config={"format": "html", "token": "ours"})})


@pytest.fixture
async def api(pool: Pool, planning: Planning) -> AsyncIterator[httpx2.AsyncClient]:
    """Yield a client of the endpoints that calls as an administrator."""
    app = FastAPI()
    problems.install(app, {**preferences.PROBLEMS, **deliveries.PROBLEMS})
    for router in (*preferences.ROUTERS, *deliveries.ROUTERS):
        app.include_router(router)
    app.state.authorize_user, app.state.authorize_admin = authorize_user, authorize_admin
    app.state.preferences = Preferences(pool, planning.defaults)
    app.state.deliveries = Deliveries(pool, Notifier(), planning)
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test", headers={"x-caller": "admin"}) as client:
        yield client
