"""Authenticating callers, and finding the person behind each."""

import time
from collections.abc import Mapping

from pydantic import SecretStr
from starlette.requests import Request

from self_service_agent.kit.database import Pool
from self_service_agent.shared_models.users import User, find_or_add

from .rules import Forbidden, KeyRing, Principal, Unauthenticated, bearer_of, verify_slack_signature

_KNOWN_LIMIT = 50_000


class Authentication:
    """Turns the headers of a request into a principal, and a principal into a user."""

    def __init__(self, pool: Pool, *, people: KeyRing, tools: KeyRing, slack_signing_secret: SecretStr | None) -> None:
        self._pool = pool
        self._people = people
        self._tools = tools
        self._slack_signing_secret = slack_signing_secret
        self._known: dict[tuple[str | None, str | None], User] = {}

    def person(self, headers: Mapping[str, str]) -> Principal:
        """Return the person whose Bearer key this is, or raise `Unauthenticated`."""
        principal = self._people.principal_of(bearer_of(headers.get("authorization")))
        if principal is None:
            raise Unauthenticated("this token or API key is not known here")
        return principal

    def tool(self, headers: Mapping[str, str]) -> Principal:
        """Return the tool whose `x-api-key` this is, or raise `Unauthenticated`."""
        key = headers.get("x-api-key")
        principal = self._tools.principal_of(key) if key else None
        if principal is None:
            raise Unauthenticated("send the header x-api-key with the key of your tool", challenge="ApiKey")
        return principal

    def slack(self, headers: Mapping[str, str], body: bytes) -> None:
        """Check that Slack signed this body; without a signing secret nothing is from Slack."""
        if self._slack_signing_secret is None:
            raise Unauthenticated("SLACK_SIGNING_SECRET is not configured", challenge="Slack-Signature")
        verify_slack_signature(
            self._slack_signing_secret,
            timestamp=headers.get("x-slack-request-timestamp"),
            signature=headers.get("x-slack-signature"),
            body=body,
            now=time.time(),
        )

    async def authorize_user(self, request: Request, user_id: str | None) -> None:
        """Let a person at what is theirs, and an administrator at everybody's; `None` is anybody's."""
        principal = self.person(request.headers)
        if user_id is None or principal.is_admin:
            return
        if not (await self.user(login=principal.login, email=principal.email)).is_named(user_id):
            raise Forbidden("this belongs to somebody else")

    async def authorize_admin(self, request: Request) -> None:
        """Let only administrators through."""
        if not self.person(request.headers).is_admin:
            raise Forbidden("this is for administrators")

    async def user(self, *, login: str | None, email: str | None) -> User:
        """Return the user with this login or e-mail, remembered in this process after the first time."""
        user = self._known.get((login, email))
        if user is None:
            user = await find_or_add(self._pool, login=login, email=email)
            if len(self._known) >= _KNOWN_LIMIT:
                self._known.clear()
            self._known[login, email] = user
        return user

    async def user_named(self, name: str) -> User:
        """Return the user that a trusted caller names by login or e-mail."""
        return await (self.user(login=None, email=name) if "@" in name else self.user(login=name, email=None))
