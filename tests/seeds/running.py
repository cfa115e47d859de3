"""Runs an example as it is printed. Nothing is changed in it but what stands in this file.

- The server's address becomes the one of the system that runs.
- A place kept for a credential is taken by one, and an example without a credential gets one.
- In a description, `"string"`, `{user_id}` and `{integration_type}` are taken by values; a body says that it is JSON.
"""

import ast
import hashlib
import hmac
import inspect
import json
import re
import subprocess
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx2
from joserfc import jwt
from joserfc.jwk import RSAKey

from .examples import Call

ADDRESSES = ("https://your-request-manager", "http://localhost:8080")
_PRINTED_TOKEN = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9..."
PERSON, TOOL_ID, TOOL_KEY = "john.doe", "snow-integration", "your-tool-api-key"
VALUES = {"user_id": PERSON, "integration_type": "WEB", "tool_id": TOOL_ID}

_KEY = RSAKey.generate_key()
_ISSUER, _AUDIENCE, _SLACK_SECRET = "https://login.company.com", "self-service-agent", "the-signing-secret"
_BODY = re.compile(r"-d '([^']*)'")
ENVIRONMENT = {
    "SLACK_SIGNING_SECRET": _SLACK_SECRET,
    "JWT_ENABLED": "true",
    "JWT_ISSUERS": json.dumps(
        [
            {
                "issuer": _ISSUER,
                "audience": _AUDIENCE,
                "algorithms": ["RS256"],
                "jwks": {"keys": [_KEY.as_dict(private=False)]},
            }
        ]
    ),
}


@dataclass(frozen=True)
class Answered:
    """What came back: a status and a JSON document."""

    status: int
    document: Any


def token_of(person: str) -> str:
    """Return a token by which somebody proves to be `person`."""
    claims = {"iss": _ISSUER, "aud": _AUDIENCE, "sub": person, "exp": int(time.time()) + 600}
    return jwt.encode({"alg": "RS256"}, claims, _KEY)


def addressed(text: str, system: str) -> str:
    """Return an example with the address of the system that runs."""
    for address in ADDRESSES:
        text = text.replace(address, system)
    return text


def with_token(script: str) -> str:
    """Return a script whose printed token, which is cut short, is a whole one."""
    return script.replace(_PRINTED_TOKEN, token_of(PERSON))


def with_credential(program: str, person: str) -> str:
    """Return a program whose HTTP client, which has no credential, has that of a person."""
    headers = {"Authorization": f"Bearer {token_of(person)}"}
    return program.replace("httpx.AsyncClient()", f"httpx.AsyncClient(headers={headers})")


def with_signature(script: str) -> str:
    """Return a script for Slack's door whose places for signature and time are taken."""
    (body,) = _BODY.findall(script)
    headers = slack_headers(body.encode())
    for place, header in (("<signature>", "x-slack-signature"), ("<timestamp>", "x-slack-request-timestamp")):
        script = script.replace(place, headers[header])
    return script


def slack_headers(body: bytes) -> dict[str, str]:
    """Return the headers by which Slack signs a body."""
    now = str(int(time.time()))
    digest = hmac.new(_SLACK_SECRET.encode(), f"v0:{now}:".encode() + body, hashlib.sha256).hexdigest()
    return {"x-slack-signature": f"v0={digest}", "x-slack-request-timestamp": now}


def run_script(script: str, system: str, home: Path, *, person: str | None = None) -> list[Answered]:
    """Run a script with bash, and return what its curl commands were answered; `person` is who it lacks."""
    wishes = ["silent", "show-error", r'write-out = "\n%{http_code}\n"']
    credential = [] if person is None else [f'header = "Authorization: Bearer {token_of(person)}"']
    (home / ".curlrc").write_text("\n".join([*wishes, *credential]))
    done = subprocess.run(  # noqa: S603  # what our own documents print
        ["/bin/bash", "-eu", "-c", addressed(script, system)],
        capture_output=True,
        check=True,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "CURL_HOME": str(home)},
    )
    lines = done.stdout.decode().splitlines()
    return [Answered(int(code), json.loads(body)) for body, code in zip(lines[::2], lines[1::2], strict=True)]


async def run_python(program: str, system: str) -> dict[str, Any]:
    """Run a program that may wait at its top level, and return the names it leaves."""
    code = compile(addressed(program, system), "example", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    names: dict[str, Any] = {}
    waiting = eval(code, names)  # noqa: S307  # what our own documents print
    if inspect.isawaitable(waiting):
        await waiting
    return names


def filled(call: Call, **values: str) -> Call:
    """Return a described request with values where the description names types."""
    known = VALUES | values
    body = call.body
    if isinstance(body, dict):
        body = {name: known.get(name, value) if value == "string" else value for name, value in body.items()}
    return replace(call, path=call.path.format_map(known), body=body)


def send(call: Call, system: str, *, person: str = PERSON) -> Answered:
    """Send a request with the credential that its door asks for."""
    content = b"" if call.body is None else json.dumps(call.body).encode()
    headers = call.headers | _credential(call, content, person)
    if call.body is not None:
        headers["Content-Type"] = "application/json"
    answer = httpx2.request(call.method, f"{system}{call.path}", headers=headers, content=content, timeout=30)
    return Answered(answer.status_code, answer.json())


def _credential(call: Call, content: bytes, person: str) -> dict[str, str]:
    match call.path.rpartition("/")[2]:
        case "slack":
            return slack_headers(content)
        case "tool":
            return {"x-api-key": TOOL_KEY}
        case _:
            return {"Authorization": f"Bearer {token_of(person)}"}
