"""The guarded connections of libraries that bring an httpx2 client of their own."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterable
from typing import TypeAlias

import httpcore2
import httpx2

from .client import EgressRefused
from .egress import EgressPolicy

SocketOption: TypeAlias = "tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]"

RESPONSE_LIMIT = 4_194_304


class ResponseTooLarge(httpx2.TransportError):
    """An answer was cut off because it grew past the limit."""


def guarded_client(policy: EgressPolicy, *, response_limit: int = RESPONSE_LIMIT) -> httpx2.AsyncClient:
    """Return a client whose every connection passes `policy`; no proxy, no redirect, answers up to a limit of bytes.

    What the policy forbids raises `EgressRefused` before a packet is sent.
    """
    return httpx2.AsyncClient(transport=_GuardedTransport(policy, response_limit), trust_env=False)


class _GuardedTransport(httpx2.AsyncHTTPTransport):
    def __init__(self, policy: EgressPolicy, response_limit: int) -> None:
        super().__init__(trust_env=False)
        self._response_limit = response_limit
        # The library's transport takes no network backend; its pool does, and is all that it consists of.
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=httpx2.create_ssl_context(trust_env=False), network_backend=_GuardedBackend(policy)
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await super().handle_async_request(request)
        if isinstance(response.stream, httpx2.AsyncByteStream):
            response.stream = _Bounded(response.stream, self._response_limit)
        return response


class _Bounded(httpx2.AsyncByteStream):
    """A body that breaks off where it grows past its limit."""

    def __init__(self, stream: httpx2.AsyncByteStream, limit: int) -> None:
        self._stream = stream
        self._limit = limit

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for piece in self._stream:
            size += len(piece)
            if size > self._limit:
                raise ResponseTooLarge(f"the answer is larger than {self._limit} bytes")
            yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()


class _GuardedBackend(httpcore2.AsyncNetworkBackend):
    """Resolves names itself and connects to the addresses that the policy permits, one after the other."""

    def __init__(self, policy: EgressPolicy) -> None:
        self._policy = policy
        self._network = httpcore2.AnyIOBackend()

    async def connect_tcp(  # noqa: PLR0917  # the library's signature
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # the same
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        addresses = await self._permitted(host, port, within=timeout)
        for address in addresses[:-1]:
            try:
                return await self._network.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue
        return await self._network.connect_tcp(addresses[-1], port, timeout, local_address, socket_options)

    async def _permitted(self, host: str, port: int, *, within: float | None) -> list[str]:
        try:
            async with asyncio.timeout(within):
                found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except TimeoutError as error:
            raise httpcore2.ConnectTimeout(f"{host} was not resolved in time") from error
        except OSError as error:
            raise httpcore2.ConnectError(f"{host} has no address") from error
        addresses = dict.fromkeys(str(address[0]) for *_, address in found)
        permitted = [address for address in addresses if self._policy.permits(address)]
        if not permitted:
            raise EgressRefused(f"{host} is not an address we may connect to")
        return permitted

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
