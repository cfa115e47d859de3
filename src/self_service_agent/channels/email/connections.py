"""Keeps a few SMTP connections open, so that a mail does not pay for greeting, TLS and login."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from typing import Self

import aiosmtplib
from aiosmtplib.typing import SMTPStatus

from .config import EmailSettings

_IMPLICIT_TLS_PORT = 465


class ServerUnavailable(Exception):
    """No connection could be made, so nothing was sent; the message says what the operator may have to repair."""


class Connections:
    """At most `smtp_connections` mails are on their way at a time, each on a connection of its own."""

    def __init__(self, settings: EmailSettings, tls: ssl.SSLContext | None) -> None:
        self._settings = settings
        self._tls = tls
        self._permits = asyncio.Semaphore(settings.smtp_connections)
        self._idle: list[tuple[float, aiosmtplib.SMTP]] = []

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: EmailSettings) -> AsyncIterator[Self]:
        """Yield connections that are made when first needed and closed at the end."""
        tls = await asyncio.to_thread(_tls_context, settings) if settings.smtp_use_tls else None
        connections = cls(settings, tls)
        try:
            yield connections
        finally:
            for _, connection in connections._idle:
                connection.close()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[aiosmtplib.SMTP]:
        """Yield a connection on which the server has taken our sender; after an error it is not used again.

        Raises ServerUnavailable, or aiosmtplib's SMTPSenderRefused.
        """
        async with self._permits:
            connection = await self._resumed() or await self._begun(await self._connected())
            with ExitStack() as on_error:
                on_error.callback(connection.close)
                yield connection
                on_error.pop_all()
            self._idle.append((asyncio.get_running_loop().time(), connection))

    async def _resumed(self) -> aiosmtplib.SMTP | None:
        """Return a kept connection on which the server goes along; those it has given up are dropped."""
        oldest = asyncio.get_running_loop().time() - self._settings.smtp_idle_seconds
        while self._idle:
            kept_since, connection = self._idle.pop()
            if kept_since <= oldest:
                # Trying it would cost a whole timeout if a firewall has forgotten it without telling us.
                connection.close()
                continue
            try:
                return await self._begun(connection)
            except (aiosmtplib.SMTPServerDisconnected, aiosmtplib.SMTPTimeoutError):
                continue
            except aiosmtplib.SMTPSenderRefused as error:
                if error.code != SMTPStatus.domain_unavailable:
                    raise
        return None

    async def _connected(self) -> aiosmtplib.SMTP:
        connection = self._new()
        try:
            await connection.connect()
        except aiosmtplib.SMTPAuthenticationError as error:
            raise ServerUnavailable(f"the SMTP server refuses our login ({error.code}): check SMTP_USERNAME") from error
        except aiosmtplib.SMTPResponseException as error:
            raise ServerUnavailable(f"the SMTP server answers {error.code}") from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise ServerUnavailable(f"no SMTP connection: {error}") from error
        return connection

    async def _begun(self, connection: aiosmtplib.SMTP) -> aiosmtplib.SMTP:
        with ExitStack() as on_error:
            on_error.callback(connection.close)
            await connection.mail(self._settings.from_email)
            on_error.pop_all()
        return connection

    def _new(self) -> aiosmtplib.SMTP:
        settings = self._settings
        implicit = settings.smtp_use_tls and settings.smtp_port == _IMPLICIT_TLS_PORT
        return aiosmtplib.SMTP(
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            username=settings.smtp_username,
            password=settings.smtp_password.get_secret_value() if settings.smtp_password else None,
            # The sender's domain, since asking the system for its own name can block for seconds.
            local_hostname=settings.from_email.rpartition("@")[2],
            timeout=settings.smtp_timeout_seconds,
            use_tls=implicit,
            start_tls=settings.smtp_use_tls and not implicit,
            tls_context=self._tls,
        )


def _tls_context(settings: EmailSettings) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if settings.smtp_ca_file:
        context.load_verify_locations(settings.smtp_ca_file)
    return context
