"""The guarded connections of libraries with a client of their own."""

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse, RedirectResponse

from self_service_agent.kit.http.client import EgressRefused
from self_service_agent.kit.http.egress import EgressPolicy
from self_service_agent.kit.http.guarded import ResponseTooLarge, guarded_client
from tests.doubles_servicenow.serving import serving

LOOPBACK = EgressPolicy(allow_loopback=True)


@pytest.fixture
async def peer():
    """Yield the port of a server that says a hundred letters, or sends people elsewhere."""
    app = FastAPI()
    app.get("/letters")(lambda: PlainTextResponse("x" * 100))
    app.get("/elsewhere")(lambda: RedirectResponse("/letters"))
    async with serving(app) as url:
        yield url.rpartition(":")[2]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]"])  # noqa: S104  # an address to refuse
async def test_a_forbidden_address_is_refused_however_it_is_written(peer, host):
    async with guarded_client(EgressPolicy()) as client:
        with pytest.raises(EgressRefused):
            await client.get(f"http://{host}:{peer}/letters")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_permitted_address_answers(peer, host):
    async with guarded_client(LOOPBACK) as client:
        assert len((await client.get(f"http://{host}:{peer}/letters")).content) == 100


async def test_an_answer_breaks_off_where_it_grows_past_the_limit(peer):
    async with guarded_client(LOOPBACK, response_limit=99) as client:
        with pytest.raises(ResponseTooLarge):
            await client.get(f"http://127.0.0.1:{peer}/letters")


async def test_a_redirect_is_not_followed(peer):
    async with guarded_client(LOOPBACK) as client:
        assert (await client.get(f"http://127.0.0.1:{peer}/elsewhere")).status_code == 307


async def test_nobody_there_is_a_failed_connection(peer):
    async with guarded_client(LOOPBACK) as client:
        with pytest.raises(httpx2.ConnectError):
            await client.get("http://127.0.0.1:1/letters")
