"""No secret leaves its place: not for logs, metrics, tables or answers, whatever goes well or wrong.

A person's own webhook credentials are the exception: they are kept among that person's preferences, because we have to
send them, and nowhere else. The person who gave the address is shown the address again, and never the credentials.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import secrets
import time
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus

import aiohttp
import pytest

from self_service_agent.doubles.receiver import Answer, Receiver
from tests.acceptance.house import eventually
from tests.faults.house import SSA, House
from tests.request_manager.authentication.signing import AUDIENCE, ISSUER, a_token, claims, encoded, header, hs256

ALICE, JOHN = "alice.johnson@company.com", "john.doe@company.com"
PREFERENCES = "user_integration_configs"
THEIR_OWN = frozenset({"their webhook secret", "their webhook token", "their webhook url"})
TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
IS_DONE = """
    SELECT count(*) >= 4 AND bool_and(status NOT IN ('PENDING', 'RETRYING')) AND
        (SELECT count(*) >= 5 FROM audit_log) AND NOT EXISTS (SELECT FROM event_inbox WHERE state = 'ready')
    FROM delivery_logs
"""
MARKER = "canary in plain sight"  # what a person says is kept; finding it shows that the search finds things


def canary(name):
    return f"canary-{name.replace(' ', '-')}-{secrets.token_hex(16)}"


def signing_secret(name):
    return f"whsec_{base64.b64encode(canary(name).encode()).decode()}"


@dataclass
class Canaries:
    """The secrets by what they are, and where everything that was answered is collected."""

    texts: dict[str, str] = field(default_factory=dict)
    answers: list[str] = field(default_factory=list)
    shown_to_their_owner: list[str] = field(default_factory=list)

    def __getitem__(self, name):
        """Return a secret, made when it is first asked for."""
        make = signing_secret if "webhook secret" in name else canary
        return self.texts.setdefault(name, make(name))

    def found_in(self, text, *, but=frozenset()):
        """Return which of them `text` holds, as they are or in base64."""
        return {
            name
            for name, secret in self.texts.items()
            if name not in but and any(form in text for form in forms_of(secret))
        }


def forms_of(secret):
    raw = secret.removeprefix("whsec_").encode()
    shifted = (base64.b64encode(b"\0" * shift + raw).decode()[4:-4] for shift in range(3))
    return [secret, raw.decode(), *shifted]


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Somebody who speaks HTTP to the house and keeps what it answers."""

    http: aiohttp.ClientSession
    canaries: Canaries

    async def post(self, path, body, *, key=None, **headers):
        """Post and return the answer's status and what it says."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        known = {"content-type": "application/json", **({"authorization": f"Bearer {key}"} if key else {})}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.http.post(path, data=content, headers=known | named) as answer:
            text = await answer.text()
        self._keep(path, answer, text)
        return answer.status, text

    async def get(self, path, *, key):
        async with self.http.get(path, headers={"authorization": f"Bearer {key}"}) as answer:
            self._keep(path, answer, await answer.text())
            return answer.status

    def _keep(self, path, answer, text):
        if path == "/api/v1/keys" and answer.status == HTTPStatus.CREATED:
            return  # shows the new key, this once
        is_own = answer.ok and path.startswith("/api/v1/users/")
        kept = self.canaries.shown_to_their_owner if is_own else self.canaries.answers
        kept.append(f"{answer.headers} {text}")

    async def ask(self, content=MARKER, *, door="web", user=ALICE, key=None, channels=(), **headers):
        body = {"user_id": user, "content": content, "tool_id": "snow-integration"}
        if channels:
            body["delivery"] = {"mode": "both", "channels": channels}
        status, _ = await self.post(f"/api/v1/requests/{door}", body, key=key, **headers)
        return status


@asynccontextmanager
async def a_mail_server_that_repeats_what_it_refuses():
    """Yield the port of a server that takes no login, and says so in the words of whoever tried."""

    async def refuse(reader, writer):
        writer.write(b"220 here\r\n")
        while line := await reader.readline():
            if line.upper().startswith(b"EHLO"):
                writer.write(b"250-here\r\n250 AUTH PLAIN LOGIN\r\n")
            else:
                writer.write(b"535 5.7.8 not with " + line.strip() + b"\r\n")
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def environment(canaries, *, smtp_port, hook, servicenow):
    issuer = {
        "issuer": ISSUER,
        "audience": AUDIENCE,
        "algorithms": ["HS256"],
        "jwks": {"keys": [{"kty": "oct", "kid": "first", "k": encoded(canaries["issuer secret"].encode())}]},
    }
    return {
        "SSA_ENV": "development",
        "LOG_LEVEL": "debug",
        "WEB_API_KEYS": json.dumps({canaries["web key"]: ALICE, canaries["other web key"]: JOHN}),
        "SNOW_API_KEY": canaries["tool key"],
        "JWT_ENABLED": "true",
        "JWT_ISSUERS": json.dumps([issuer]),
        "SLACK_SIGNING_SECRET": canaries["slack secret"],
        "SERVICE_TOKEN_SECRET": canaries["service secret"],
        "POSTGRES_PASSWORD": canaries["database password"],
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(smtp_port),
        "SMTP_USE_TLS": "false",
        "SMTP_USERNAME": "desk@company.com",
        "SMTP_PASSWORD": canaries["smtp password"],
        "DEFAULT_WEBHOOK_URL": f"{hook}/default?token={canaries['default webhook url']}",
        "WEBHOOK_SECRET": canaries["webhook secret"],
        "SERVICENOW_INSTANCE_URL": servicenow,
        "SERVICENOW_API_KEY": canaries["servicenow key"],
        "INTEGRATION_DEFAULTS_EMAIL_RETRY_COUNT": "0",
        "INTEGRATION_DEFAULTS_WEBHOOK_RETRY_COUNT": "1",
        "INTEGRATION_DEFAULTS_WEBHOOK_RETRY_DELAY_SECONDS": "0",
    }


@pytest.fixture
async def canaries():
    return Canaries()


@pytest.fixture
async def scene(tmp_path, canaries):
    """Yield a running house whose mail server, webhook receiver and ServiceNow all refuse, and repeat what they got."""
    async with AsyncExitStack() as stack:
        smtp_port = await stack.enter_async_context(a_mail_server_that_repeats_what_it_refuses())
        hook, servicenow = [await stack.enter_async_context(Receiver.open()) for _ in range(2)]
        settings = environment(canaries, smtp_port=smtp_port, hook=hook.url, servicenow=servicenow.url)
        hook.script(*(repeating(canaries, status) for status in (500, 400, 302)))
        servicenow.script(*(repeating(canaries, status) for status in (500, 401, 200, 500)))
        house = await stack.enter_async_context(House.open(tmp_path, SSA, settings))
        http = await stack.enter_async_context(aiohttp.ClientSession(house.url))
        yield house, Caller(http=http, canaries=canaries), hook


def repeating(canaries, status):
    said = json.dumps({"error": {"message": f"not with {' '.join(canaries.texts.values())}"}}).encode()
    return Answer(status=status, body=said, headers={"location": f"/?{canaries['webhook secret']}"})


async def knock_as_one_should(caller, hook):
    """Ask by every credential, and have answers sent on every channel."""
    secret = caller.canaries
    secret.texts["jwt"] = token = a_jwt(secret["issuer secret"])
    await prefer_webhooks(caller, url=f"{hook.url}/?token={secret['their webhook url']}")
    assert await caller.ask(key=secret["web key"], channels=["WEBHOOK", "EMAIL"]) == 200
    assert await caller.ask(user=secret["web key"], key=secret["web key"]) == 200
    assert await caller.ask("show my laptop", key=secret["web key"]) == 200
    assert await caller.ask(user=JOHN, key=secret["other web key"], channels=["WEBHOOK", "EMAIL"]) == 200
    assert await caller.ask(user="alice", key=token) == 200
    assert await caller.ask(door="tool", x_api_key=secret["tool key"]) == 200
    body = {"user_id": ALICE, "content": MARKER, "slack_user_id": "U1", "slack_team_id": "T1"}
    assert await from_slack(caller, body, secret=secret["slack secret"]) == 202
    status, made = await caller.post("/api/v1/keys", {"name": "mine"}, key=secret["web key"])
    assert status == 201, made
    secret.texts["issued key"] = json.loads(made)["key"]
    assert await caller.ask(key=secret["issued key"]) == 200
    for path in ("/api/v1/keys", f"/api/v1/users/{ALICE}/integrations", f"/api/v1/users/{ALICE}/integration-defaults"):
        assert await caller.get(path, key=secret["web key"]) == 200


async def knock_as_one_should_not(caller):
    """Bring credentials that are wrong, at the wrong door, or in the wrong place."""
    secret = caller.canaries
    secret.texts["forged jwt"] = forged = a_jwt("somebody else's secret, of enough bytes")
    for wrong in (secret["unknown key"], f"ssa_{secret['mistyped key']}", forged, f"{secret['token']}.x.y"):
        assert await caller.ask(key=wrong) == 401
        assert await caller.ask(door="tool", x_api_key=wrong) == 401
    assert await caller.ask(door="tool", x_api_key=secret["web key"]) == 401
    assert await caller.ask(user=JOHN, key=secret["web key"]) == 403
    assert await caller.ask(user=secret["other web key"], key=secret["web key"]) == 403
    assert await from_slack(caller, {"text": secret["said to slack"]}, secret="another") == 401
    assert await caller.get("/api/v1/audit", key=secret["web key"]) == 403
    events = "/api/v1/events/cloudevents"
    assert (await caller.post(events, {"data": secret["event"]}, key=secret["service secret"]))[0] == 401
    assert (await caller.post(f"/api/v1/nowhere?api_key={secret['in a query']}", {}))[0] == 404


async def send_nonsense(caller):
    """Send bodies that cannot be read, with secrets in them."""
    secret = caller.canaries
    for body in (
        b'{"user_id": "alice", "content": "%s' % secret["in broken JSON"].encode(),
        b'{"content": NaN, "password": "%s"}' % secret["in no JSON"].encode(),
        json.dumps({"user_id": {"password": secret["in a field"]}, "content": 7, "integration_type": secret["kind"]}),
    ):
        content = body if isinstance(body, bytes) else body.encode()
        for path in ("/api/v1/requests/web", "/api/v1/keys", f"/api/v1/users/{ALICE}/integrations"):
            assert (await caller.post(path, content, key=secret["web key"]))[0] in {400, 422}
    wrong = {"integration_type": "WEBHOOK", "config": {"url": f"ftp://{secret['host']}", "secret": secret["no base64"]}}
    assert (await caller.post(f"/api/v1/users/{ALICE}/integrations", wrong, key=secret["web key"]))[0] == 422


async def prefer_webhooks(caller, *, url):
    secret = caller.canaries
    config = {
        "url": url,
        "secret": secret["their webhook secret"],
        "auth_type": "bearer",
        "token": secret["their webhook token"],
    }
    change = {"integration_type": "WEBHOOK", "enabled": True, "config": config}
    status, answer = await caller.post(f"/api/v1/users/{ALICE}/integrations", change, key=secret["web key"])
    assert status in {200, 201}, answer


async def from_slack(caller, body, *, secret):
    content, moment = json.dumps(body).encode(), str(int(time.time()))
    signature = hmac.new(secret.encode(), f"v0:{moment}:".encode() + content, hashlib.sha256).hexdigest()
    headers = {"x_slack_request_timestamp": moment, "x_slack_signature": f"v0={signature}"}
    status, _ = await caller.post("/api/v1/requests/slack", content, **headers)
    return status


def a_jwt(secret):
    now = int(time.time())
    return a_token(header(alg="HS256"), claims(iat=now - 1, exp=now + 300), hs256(secret.encode()))


async def test_no_secret_is_anywhere_but_where_it_belongs(scene, canaries, tmp_path):
    house, caller, hook = scene
    await knock_as_one_should(caller, hook)
    await knock_as_one_should_not(caller)
    await send_nonsense(caller)
    database = await house.database.connect()
    await eventually(lambda: database.fetchval(IS_DONE), within=30)
    await caller.get("/metrics", key="nobody")
    tables = {name: await everything_in(name, database) for (name,) in await database.fetch(TABLES)}
    await database.close()
    await house.stop()
    logs = [
        path.read_text(errors="replace") for path in (tmp_path / "stderr.log", tmp_path / "postgres" / "server.log")
    ]

    assert MARKER in tables["request_logs"]  # or the search would prove nothing
    assert canaries.found_in(tables[PREFERENCES]) >= THEIR_OWN
    assert {
        name: canaries.found_in(text, but=THEIR_OWN if name == PREFERENCES else ()) for name, text in tables.items()
    } == {name: set() for name in tables}
    assert [canaries.found_in(text) for text in logs] == [set(), set()]
    assert canaries.found_in("\n".join(canaries.answers)) == set()
    assert canaries.found_in("\n".join(canaries.shown_to_their_owner)) <= {"their webhook url"}


async def everything_in(table, database):
    rows = await database.fetch(f'SELECT t::text FROM "{table}" t')  # noqa: S608  # a name from the catalogue
    return "\n".join(text for (text,) in rows)
