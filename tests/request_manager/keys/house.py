"""The key endpoints in an application whose callers say in headers who they are."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import httpx2
from fastapi import FastAPI, Request
from pydantic import SecretStr

from self_service_agent.kit import problems
from self_service_agent.kit.database import Pool
from self_service_agent.kit.notifications import Notifier
from self_service_agent.kit.problems import Problem
from self_service_agent.request_manager.keys import endpoints
from self_service_agent.request_manager.keys.desk import KeyDesk
from self_service_agent.request_manager.keys.environment import EnvironmentKeys, development_keys, environment_keys
from self_service_agent.request_manager.keys.rules import KeyCaller, Role, Scope
from self_service_agent.request_manager.keys.service import ApiKeys
from self_service_agent.shared_models.audit.log import AuditLog
from self_service_agent.shared_models.users import find_or_add

ALICE_KEY, TOOL_KEY = "alices-key-of-the-environment", "the-key-of-the-monitoring"
ENVIRONMENT = environment_keys(
    web_api_keys={ALICE_KEY: "Alice.Johnson@company.com"}, tool_keys={"monitoring-system": SecretStr(TOOL_KEY)}
)
DEVELOPMENT = development_keys(
    logins=[("web-admin", "web-admin@company.com"), ("web-demo", "web-demo@company.com")],
    tool_keys=[("your-tool-api-key", "snow-integration")],
)


@dataclass(kw_only=True)
class House:
    """The parts that serve keys, and a client that calls as Alice unless told otherwise."""

    client: httpx2.AsyncClient
    keys: ApiKeys
    audit: AuditLog
    pool: Pool

    async def call(self, method: str, path: str = "", *, by: str = "alice.johnson", **rest: object) -> httpx2.Response:
        """Call as a person; `roles` and `scopes` are those of the credential."""
        headers = {"x-caller": by}
        for name in ("roles", "scopes"):
            if name in rest:
                headers[f"x-{name}"] = " ".join(rest.pop(name))
        return await self.client.request(method, f"/api/v1/keys{path}", headers=headers, **rest)

    async def made(self, **body: object) -> dict:
        """Return a key that Alice makes, or whoever is named in `by`."""
        who = {name: body.pop(name) for name in ("by", "roles_of_caller") if name in body}
        if "roles_of_caller" in who:
            who["roles"] = who.pop("roles_of_caller")
        answer = await self.call("POST", json={"name": "laptop", **body}, **who)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def entries(self) -> list[dict]:
        await self.audit.flush()
        return [dict(row) for row in await self.pool.fetch("SELECT * FROM audit_log ORDER BY at, id")]


@asynccontextmanager
async def open_house(
    pool: Pool, *, notifier: Notifier | None = None, environment: EnvironmentKeys = ENVIRONMENT
) -> AsyncIterator[House]:
    keys = ApiKeys(pool, notifier or Notifier(), environment)
    audit = AuditLog(pool)
    app = FastAPI()
    problems.install(app, endpoints.PROBLEMS)
    app.include_router(endpoints.router)
    app.state.key_desk = KeyDesk(pool, keys, audit)

    async def caller_of(request: Request) -> KeyCaller:
        if (name := request.headers.get("x-caller")) is None:
            raise Problem(401)
        user = await find_or_add(pool, login=name, email=f"{name}@company.com")
        return KeyCaller(
            user_id=user.user_id,
            login=user.login,
            email=user.email,
            roles=frozenset(map(Role, request.headers.get("x-roles", "user").split())),
            scopes=frozenset(map(Scope, request.headers.get("x-scopes", "").split())),
        )

    app.state.caller_of = caller_of
    transport = httpx2.ASGITransport(app=app, client=("192.0.2.7", 1))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(audit.running())
        await stack.enter_async_context(keys.running())
        client = await stack.enter_async_context(httpx2.AsyncClient(transport=transport, base_url="http://test"))
        yield House(client=client, keys=keys, audit=audit, pool=pool)
