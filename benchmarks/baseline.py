"""The bare baseline: a raw ASGI application that commits requests in groups, without authentication or validation."""

import asyncio
import sys

import asyncpg
import orjson
import uvicorn

from self_service_agent.kit.group_writer import GroupWriter
from self_service_agent.kit.ids import new_id

_TABLES = """
    CREATE TABLE IF NOT EXISTS bare_sessions (session_id text PRIMARY KEY, requests integer NOT NULL)
        WITH (fillfactor = 70);
    CREATE TABLE IF NOT EXISTS bare_requests (request_id text PRIMARY KEY, session_id text, content text NOT NULL);
    CREATE TABLE IF NOT EXISTS bare_events (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, data jsonb NOT NULL);
"""
_ACCEPT = """
    WITH input AS (
        SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::jsonb[]) AS t (id, session, content, data)),
    sessions AS (
        INSERT INTO bare_sessions SELECT session, count(*) FROM input GROUP BY session ORDER BY session
        ON CONFLICT (session_id) DO UPDATE SET requests = bare_sessions.requests + EXCLUDED.requests),
    requests AS (INSERT INTO bare_requests SELECT id, session, content FROM input)
    INSERT INTO bare_events (data) SELECT data FROM input
"""


class Application:
    """Answers 202 to every POST once its row is on disk."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._writer: GroupWriter[tuple[str, str, str, str], str] = GroupWriter(self._write, rejections=())

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] == "lifespan":
            await self._run(receive, send)
            return
        body = orjson.loads((await receive())["body"])
        request_id = new_id()
        item = (request_id, body["user_id"], body["content"], orjson.dumps(body | {"request_id": request_id}).decode())
        answer = orjson.dumps({"request_id": await self._writer.submit(item), "status": "pending"})
        headers = [(b"content-length", b"%d" % len(answer)), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 202, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    async def _run(self, receive, send) -> None:
        await receive()
        self._pool = await asyncpg.create_pool(self._url, min_size=2, max_size=4)
        await self._pool.execute(_TABLES)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._pool.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _write(self, items) -> list[str]:
        await self._pool.execute(_ACCEPT, *map(list, zip(*items, strict=True)))
        return [item[0] for item in items]


if __name__ == "__main__":
    asyncio.set_event_loop_policy(None)
    uvicorn.run(
        Application(sys.argv[2]),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        log_level="warning",
        access_log=False,
    )
