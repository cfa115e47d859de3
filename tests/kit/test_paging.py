"""Pages and cursors."""

import base64
from datetime import UTC, datetime

import httpx2
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AwareDatetime, BaseModel

from self_service_agent.kit.paging import Page, decode_cursor, encode_cursor
from self_service_agent.kit.problems import Problem, install


class Position(BaseModel):
    created_at: AwareDatetime
    id: str


async def window_of(query):
    app = FastAPI()

    @app.get("/")
    async def read(page: Page) -> dict[str, int]:
        return {"limit": page.limit, "offset": page.offset}

    install(app)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://test") as client:
        return await client.get(f"/{query}")


@pytest.mark.parametrize(
    ("query", "window"),
    [
        ("", {"limit": 50, "offset": 0}),
        ("?limit=200&offset=7", {"limit": 200, "offset": 7}),
        ("?limit=1", {"limit": 1, "offset": 0}),
    ],
)
async def test_the_query_names_the_window(query, window):
    assert (await window_of(query)).json() == window


@pytest.mark.parametrize("query", ["?limit=0", "?limit=201", "?limit=x", "?offset=-1", f"?offset={2**63}"])
async def test_a_window_out_of_bounds_is_refused(query):
    assert (await window_of(query)).status_code == 422


def test_a_cursor_gives_back_its_position():
    position = Position(created_at=datetime(2026, 1, 2, tzinfo=UTC), id="ü/?+")

    cursor = encode_cursor(position)

    assert decode_cursor(cursor, Position) == position
    assert cursor.isascii()
    assert not set(cursor) & set("+/=&?")


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "é",
        "a b",
        "====",
        *(base64.urlsafe_b64encode(text).decode() for text in (b"\xff", b"[]", b'{"id":"1"}')),
    ],
)
def test_a_cursor_that_we_never_wrote_is_refused(cursor):
    with pytest.raises(Problem) as refusal:
        decode_cursor(cursor, Position)

    assert refusal.value.status == 400


@given(st.text())
def test_any_text_is_a_position_or_refused(cursor):
    with pytest.raises(Problem):
        decode_cursor(cursor, Position)
