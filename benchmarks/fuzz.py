"""Random input at length: nothing but the announced errors leaves a verifier or a parser, and no forgery is accepted.

`python -m benchmarks.fuzz --inputs 1000000` shares the inputs among all targets and counts what became of them.
"""

import argparse
import hashlib
import hmac
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_network
from random import Random

from pydantic import BaseModel, SecretStr

from self_service_agent.eventing.envelope import EnvelopeError, from_http, from_http_batch
from self_service_agent.kit.http.headers import retry_after
from self_service_agent.kit.paging import decode_cursor, encode_cursor
from self_service_agent.kit.problems import Problem
from self_service_agent.kit.service_tokens import InvalidServiceToken, ServiceTokens
from self_service_agent.request_manager.authentication.gateway import GatewayHeaders
from self_service_agent.request_manager.authentication.rules import Role, Unauthenticated, verify_slack_signature
from tests.request_manager.authentication.mutating import damaged, damaged_bytes, damaged_token, oddly_signed
from tests.request_manager.authentication.signing import NOW, SECONDS, SECRET
from tests.request_manager.authentication.trusted import BY_SECRET, GOOD, verified

_SHOWN = 3
_SERVICE_TOKENS = ServiceTokens(SecretStr("a secret of at least thirty-two bytes"))
_SERVICE_TOKEN = _SERVICE_TOKENS.issue(service="agent-service", audience="here", now=NOW, subject="alice")
_SLACK_SECRET = SecretStr("8f742231b10e8888abcd99yyyzzz85a5")
_SLACK_BODY = b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&command=%2Fweather&text=94070"
_GATEWAY = GatewayHeaders(trusted=(ip_network("10.0.0.0/8"),), roles={"it-admins": Role.ADMIN})
_EVENT = b'{"specversion":"1.0","id":"1","source":"a","type":"com.a","time":"2026-01-01T00:00:00Z","data":{"a":1}}'
_EVENT_HEADERS = [
    (b"ce-specversion", b"1.0"),
    (b"ce-id", b"1"),
    (b"ce-source", b"a"),
    (b"ce-type", b"com.a"),
    (b"ce-time", b"2026-01-01T00:00:00Z"),
    (b"ce-subject", b"%E2%82%AC"),
    (b"content-type", b"text/plain"),
]


class Forged(Exception):
    """A forgery was accepted."""


class _Position(BaseModel):
    at: str
    id: int


@dataclass(frozen=True, kw_only=True)
class Target:
    """`attempt` makes one input, gives it to what is tested and says what became of it; `refusals` may be raised."""

    attempt: Callable[[Random], str]
    refusals: tuple[type[Exception], ...] = ()


def main() -> int:
    """Try all targets and print a table; 1 if a forgery was accepted or an error escaped."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 2**32)
    options = parser.parse_args()
    print(f"seed {options.seed}")
    wrong = 0
    for name, target in TARGETS.items():
        started = time.perf_counter()
        kinds, failures = fuzz(target, Random(f"{options.seed}/{name}"), inputs=options.inputs // len(TARGETS))
        wrong += failures
        print(f"\n{name}: {kinds.total()} in {time.perf_counter() - started:.1f} s")
        for kind, count in kinds.most_common():
            print(f"{count:>10}  {kind}", flush=True)
    print(f"\n{wrong} accepted forgeries and escaped errors")
    return min(wrong, 1)


def fuzz(target: Target, random: Random, *, inputs: int) -> tuple[Counter[str], int]:
    """Return how often each outcome was seen, and how many were wrong; the first wrong ones are shown."""
    kinds: Counter[str] = Counter()
    wrong = 0
    for _ in range(inputs):
        try:
            kinds[target.attempt(random)] += 1
        except target.refusals as refusal:
            kinds[f"refused: {_kind_of(refusal)}"] += 1
        except Exception as surprise:  # noqa: BLE001 whatever escapes is what we look for
            wrong += 1
            kinds[f"WRONG: {type(surprise).__name__}"] += 1
            if wrong <= _SHOWN:
                traceback.print_exc()
    return kinds, wrong


def _kind_of(refusal: Exception) -> str:
    return str(refusal) if isinstance(refusal, Unauthenticated) else type(refusal).__name__


def _forged_token(random: Random) -> str:
    token = damaged_token(random, GOOD)
    verified(token)
    raise Forged(token)


def _odd_token(random: Random) -> str:
    principal = verified(oddly_signed(random, BY_SECRET.issuer, SECRET))
    if principal.tool_id is not None or principal.roles != {Role.USER}:
        raise Forged(repr(principal))
    return "accepted, as its issuer signed it"


def _service_token(random: Random) -> str:
    token = damaged(random, _SERVICE_TOKEN)
    if token == _SERVICE_TOKEN:
        return "left as it was"
    _SERVICE_TOKENS.verify(token, audience="here", now=NOW)
    raise Forged(token)


def _slack_signature(random: Random) -> str:
    good = str(SECONDS), _slack_signed(str(SECONDS)), _SLACK_BODY
    timestamp, signature, body = good
    match random.randrange(5):
        case 0:
            timestamp = damaged(random, timestamp)
        case 1:
            signature = damaged(random, signature)
        case 2:
            body = damaged_bytes(random, body)
        case 3:
            timestamp, signature = damaged(random, timestamp), random.choice([damaged(random, signature), None])
        case _:  # an old request again, signed rightly at its time
            timestamp = str(SECONDS + random.choice([-1, 1]) * random.randint(301, 10**10))
            signature = _slack_signed(timestamp)
    if (timestamp, signature, body) == good:
        return "left as it was"
    verify_slack_signature(_SLACK_SECRET, timestamp=timestamp, signature=signature, body=body, now=float(SECONDS))
    raise Forged(repr((timestamp, signature, body)))


def _slack_signed(timestamp: str) -> str:
    signed = f"v0:{timestamp}:".encode() + _SLACK_BODY
    return "v0=" + hmac.new(_SLACK_SECRET.get_secret_value().encode(), signed, hashlib.sha256).hexdigest()


def _gateway(random: Random) -> str:
    names = [
        b"x-user-id",
        b"X-Forwarded-User",
        b"x-remote-user",
        b"x-user-email",
        b"x-user-groups",
        b"host",
        b"x_user_id",
    ]
    texts = ["alice", "Alice", "alice@company.com", "it-admins", "staff", "", "bob"]
    headers = [
        (random.choice(names), damaged_bytes(random, text.encode()) if random.random() < 0.3 else text.encode())
        for text in random.choices(texts, k=random.randint(0, 4))
    ]
    peer = random.choice(["10.1.2.3", "::ffff:10.1.2.3", "11.0.0.1", "::1", damaged(random, "10.1.2.3"), None])
    principal = _GATEWAY.identity(headers, peer)
    if principal is None:
        return "nobody is named"
    values = [value for name, value in headers if name.lower() == b"x-user-groups"]
    if peer is None or "10." not in peer or (Role.ADMIN in principal.roles and not any(b"admins" in v for v in values)):
        raise Forged(repr((headers, peer)))
    return "the gateway's user"


def _cursor(random: Random) -> str:
    decode_cursor(damaged(random, encode_cursor(_Position(at="2026-01-01", id=7))), _Position)
    return "read: a position may be any"


def _structured_event(random: Random) -> str:
    read = random.choice([from_http, from_http_batch])
    content_type = b"application/cloudevents+json" if read is from_http else b"application/cloudevents-batch+json"
    body = damaged_bytes(random, _EVENT if read is from_http else b"[" + _EVENT + b"]")
    read([(b"content-type", damaged_bytes(random, content_type) if random.random() < 0.1 else content_type)], body)
    return "read: an event"


def _binary_event(random: Random) -> str:
    headers = [
        *_EVENT_HEADERS,
        (b"ce-time", b"2026-01-01T00:00:00Z"),
        (b"ce-subject", b"%E2%82%AC"),
        (b"content-type", b"text/plain"),
    ]
    for _ in range(random.randint(1, 3)):
        place = random.randrange(len(headers))
        name, value = headers[place]
        headers[place] = (
            (name, damaged_bytes(random, value)) if random.random() < 0.8 else (damaged_bytes(random, name), value)
        )
    from_http(headers, random.randbytes(random.randint(0, 20)))
    return "read: an event"


def _retry_after(random: Random) -> str:
    wish = damaged(random, random.choice(["120", "1.5", "Fri, 31 Dec 2027 23:59:59 GMT", "31 Dec 2027 23:59:59"]))
    seconds = retry_after({"Retry-After": wish}, now=NOW)
    if seconds is not None and not 0 <= seconds < float("inf"):
        raise Forged(wish)
    return "no wish" if seconds is None else "a wish"


TARGETS = {
    "tokens, forged": Target(attempt=_forged_token, refusals=(Unauthenticated,)),
    "tokens, odd but signed": Target(attempt=_odd_token, refusals=(Unauthenticated,)),
    "service tokens": Target(attempt=_service_token, refusals=(InvalidServiceToken,)),
    "Slack signatures": Target(attempt=_slack_signature, refusals=(Unauthenticated,)),
    "gateway headers": Target(attempt=_gateway, refusals=(Unauthenticated,)),
    "cursors": Target(attempt=_cursor, refusals=(Problem,)),
    "events as JSON": Target(attempt=_structured_event, refusals=(EnvelopeError,)),
    "events as headers": Target(attempt=_binary_event, refusals=(EnvelopeError,)),
    "Retry-After": Target(attempt=_retry_after),
}


if __name__ == "__main__":
    sys.exit(main())
