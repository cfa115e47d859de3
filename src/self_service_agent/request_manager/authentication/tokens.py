"""Verifies the tokens that people bring: of which issuer, signed by it, for us, and now."""

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta

from joserfc.jwk import Key

from .claims import Verified, judge
from .compact import Token, read_token
from .issuers import Issuer
from .key_sets import KeySets
from .keys import is_signature
from .rules import KeysUnavailable, Principal, Unauthenticated

_LONGEST_MEMORY = timedelta(seconds=60)
_MOST_LOOKS = 3  # the second may come from a fetch that began before the key was published


class TokenVerifier:
    """Knows tokens again for up to a minute: every request brings the same one, and checking signatures costs."""

    def __init__(
        self,
        issuers: Iterable[Issuer],
        key_sets: KeySets,
        *,
        leeway: timedelta = timedelta(seconds=30),
        remembered: int = 10_000,
    ) -> None:
        self._issuers = {issuer.issuer: issuer for issuer in issuers}
        self._key_sets = key_sets
        self._leeway = leeway.total_seconds()
        self._most_remembered = remembered
        self._remembered: dict[bytes, Verified] = {}

    async def verify(self, token: str, *, now: datetime) -> Principal:
        """Return who brings `token`, or raise `Unauthenticated` whatever it is, or `KeysUnavailable`."""
        digest = hashlib.sha256(token.encode(errors="surrogatepass")).digest()
        moment = now.timestamp()
        remembered = self._remembered.get(digest)
        if remembered is not None and remembered.starts <= moment < remembered.ends:
            return remembered.principal
        verified = await self._verified(read_token(token), now=now)
        self._remember(digest, verified, moment=moment)
        return verified.principal

    async def _verified(self, token: Token, *, now: datetime) -> Verified:
        issuer = self._issuers.get(token.issuer)
        if issuer is None:
            raise Unauthenticated("the token is from an issuer that is not configured here")
        if token.algorithm not in issuer.algorithms:
            raise Unauthenticated("the token is signed in a way that its issuer does not sign")
        await self._check_signature(token, issuer, now=now)
        return judge(token.claims, issuer, now=now.timestamp(), leeway=self._leeway)

    async def _check_signature(self, token: Token, issuer: Issuer, *, now: datetime) -> None:
        keys = await self._key_sets.known(issuer, now=now)
        for _ in range(_MOST_LOOKS):
            if _is_signed(token, keys):
                return
            newer = await self._key_sets.newer(issuer, now=now) if _may_be_new(token, keys) else keys
            if newer is keys:
                break
            keys = newer
        if not keys:
            raise KeysUnavailable("the keys of the token's issuer cannot be had")
        raise Unauthenticated("the token is not signed by its issuer")

    def _remember(self, digest: bytes, verified: Verified, *, moment: float) -> None:
        ends = min(verified.ends, moment + _LONGEST_MEMORY.total_seconds())
        if len(self._remembered) >= self._most_remembered:
            del self._remembered[next(iter(self._remembered))]
        self._remembered[digest] = Verified(
            principal=verified.principal, starts=max(verified.starts, moment), ends=ends
        )


def _may_be_new(token: Token, keys: tuple[Key, ...]) -> bool:
    """Tell whether a key that we do not have may have signed this: one of a new name, or of none."""
    return token.kid is None or all(key.kid != token.kid for key in keys)


def _is_signed(token: Token, keys: tuple[Key, ...]) -> bool:
    return any(
        is_signature(token.signature, token.signed, algorithm=token.algorithm, key=key)
        for key in keys
        if token.kid is None or key.kid in (None, token.kid)
    )
