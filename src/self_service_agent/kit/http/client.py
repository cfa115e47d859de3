"""One HTTP client for everything we call: no redirects, one deadline, bounded answers, guarded connections."""

import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Self, TypedDict, Unpack

import aiohttp
from aiohappyeyeballs import AddrInfoType
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.typedefs import Query
from multidict import CIMultiDict
from yarl import URL

from self_service_agent.kit import tracing

from .egress import EgressPolicy

_SCHEMES = frozenset({"http", "https"})
_MAX_RESPONSE_BYTES = 65_536


class HttpError(Exception):
    """A request brought no answer; the subclass says how far it got. Messages name the host, never the whole URL."""


class ConnectionFailed(HttpError):
    """The peer was never reached, so nothing was sent."""


class EgressRefused(HttpError):
    """The address is not one we connect to; no packet was sent, and trying again will not help."""


class ResponseLost(HttpError):
    """The request was sent, or may have been, and its answer did not arrive whole."""


@dataclass(frozen=True, kw_only=True)
class Response:
    """An answer; `content` is cut at the caller's limit, and `truncated` says so. Header names ignore case."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    truncated: bool


class RequestOptions(TypedDict, total=False):
    """What a request may add to its method and URL."""

    headers: Mapping[str, str] | None
    content: bytes | None
    params: Query
    timeout: timedelta | None
    max_response_bytes: int


class Client:
    """Sends requests over one pool of kept connections.

    The only repetition is the one that RFC 9110 9.2.2 allows on a line that broke: once, for idempotent methods.
    """

    def __init__(self, session: aiohttp.ClientSession, *, timeout: timedelta) -> None:
        self._session = session
        self._timeout = timeout

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        *,
        policy: EgressPolicy,
        timeout: timedelta = timedelta(seconds=30),  # noqa: ASYNC109 the default for requests, not this call's own
        user_agent: str,
    ) -> AsyncIterator[Self]:
        """Yield a client whose every connection passes `policy` and whose every request ends within `timeout`."""
        connector = aiohttp.TCPConnector(
            limit=0,  # callers bound their own concurrency; a shared bound would let one slow peer stop all others
            keepalive_timeout=4.0,  # common servers hang up after five seconds, and a request must not meet that
            resolver=_GuardedResolver(policy),
            socket_factory=lambda target: _guarded_socket(policy, target),
        )
        async with aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), headers={"User-Agent": user_agent}
        ) as session:
            yield cls(session, timeout=timeout)

    async def get(self, url: str, **options: Unpack[RequestOptions]) -> Response:
        """GET `url`, or raise an `HttpError`."""
        return await self.request("GET", url, **options)

    async def post(self, url: str, **options: Unpack[RequestOptions]) -> Response:
        """POST to `url`, or raise an `HttpError`."""
        return await self.request("POST", url, **options)

    async def request(self, method: str, url: str, **options: Unpack[RequestOptions]) -> Response:
        """Return the peer's answer whatever its status, or raise an `HttpError`; a redirect is an answer like any."""
        target = _target(url)
        try:
            return await self._exchange(method, target, options)
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, _RefusedAddress):
                raise EgressRefused(f"{target.host} is not an address we may connect to") from None
            raise ConnectionFailed(f"{target.host}: {error.os_error.strerror or error.os_error}") from error
        except aiohttp.ConnectionTimeoutError:
            raise ConnectionFailed(f"{target.host} did not accept the connection in time") from None
        except aiohttp.InvalidURL:
            raise EgressRefused("not a URL we may call") from None
        except TimeoutError:
            raise ResponseLost(f"{target.host} did not answer in time") from None
        except aiohttp.ClientError as error:
            # From None: the library's message quotes the whole URL, which may hold a secret.
            raise ResponseLost(f"{target.host}: {type(error).__name__}") from None

    async def _exchange(self, method: str, target: URL, options: RequestOptions) -> Response:
        async with self._session.request(
            method,
            target,
            headers=_in_its_story(options.get("headers")),
            data=options.get("content"),
            params=options.get("params"),
            timeout=_deadline(options.get("timeout") or self._timeout),
            allow_redirects=False,
        ) as response:
            content, truncated = await _read(response, options.get("max_response_bytes", _MAX_RESPONSE_BYTES))
            return Response(status=response.status, headers=response.headers, content=content, truncated=truncated)


class _RefusedAddress(OSError):
    """Travels through the connector, which passes on nothing but an OSError."""


class _GuardedResolver(AbstractResolver):
    """Resolves names to the addresses that the policy permits, so that a mixed answer never reaches a blocked one."""

    def __init__(self, policy: EgressPolicy) -> None:
        self._policy = policy
        self._resolver = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        permitted = [result for result in found if self._policy.permits(result["host"])]
        if not permitted:
            raise _RefusedAddress
        return permitted

    async def close(self) -> None:
        """Nothing is held open."""


def _guarded_socket(policy: EgressPolicy, target: AddrInfoType) -> socket.socket:
    """Make the socket for a connection unless the policy forbids it: literals reach this without being resolved."""
    family, kind, protocol, _, address = target
    if not policy.permits(str(address[0])):
        raise _RefusedAddress
    return socket.socket(family, kind, protocol)


def _target(url: str) -> URL:
    try:
        target = URL(url)
    except ValueError:
        raise EgressRefused("not a URL we may call") from None
    if target.scheme not in _SCHEMES or not target.host:
        raise EgressRefused("only http and https URLs with a host can be called")
    return target


def _in_its_story(headers: Mapping[str, str] | None) -> Mapping[str, str] | None:
    """Return the headers with the trace context of what this request is made for."""
    traceparent = tracing.traceparent()
    if traceparent is None:
        return headers
    told: CIMultiDict[str] = CIMultiDict(headers or {})
    told.setdefault(tracing.HEADER, traceparent)
    return told


def _deadline(timeout: timedelta) -> aiohttp.ClientTimeout:
    # Connecting ends strictly before the whole does, so that a plain timeout always means: connected, request sent.
    return aiohttp.ClientTimeout(total=timeout.total_seconds(), connect=timeout.total_seconds() / 2)


async def _read(response: aiohttp.ClientResponse, limit: int) -> tuple[bytes, bool]:
    content = bytearray()
    async for chunk in response.content.iter_any():
        content += chunk
        if len(content) > limit:
            response.close()
            return bytes(content[:limit]), True
    return bytes(content), False
