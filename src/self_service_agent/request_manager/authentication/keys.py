"""The keys of an issuer: reading them, and checking a signature with them."""

import json
import warnings
from collections.abc import Callable
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from joserfc.errors import InvalidKeyTypeError, JoseError, SecurityWarning
from joserfc.jwk import ECKey, JWKRegistry, Key, OctKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

MOST_KEYS = 64

_KNOWN = JWSRegistry.algorithms
# RFC 7518 §3.2: a secret is at least as long as the hash, in bytes.
SHORTEST_SECRETS = {"HS256": 32, "HS384": 48, "HS512": 64}
ALGORITHMS = {
    name: _KNOWN[name] for family in ("HS", "RS", "PS", "ES") for name in (f"{family}{n}" for n in (256, 384, 512))
}
ALGORITHMS |= {"Ed25519": _KNOWN["Ed25519"], "EdDSA": _KNOWN["Ed25519"]}  # the same by its old name (RFC 9864)


class UnusableKey(Exception):
    """These are no keys that we can check signatures with; the message says why, without the keys."""


def read_key_set(document: object) -> tuple[Key, ...]:
    """Return all keys of a JWK set (RFC 7517), or raise `UnusableKey` if one is wrong."""
    return tuple(map(_key, _members(document)))


def read_published(content: bytes) -> tuple[Key, ...]:
    """Return the public signing keys of a JWK set as an issuer serves it, without those that we do not understand."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        raise UnusableKey("the answer is not JSON") from None
    keys = (_understood(member) for member in _members(document))
    return tuple(key for key in keys if key is not None and not key.is_private)


def read_public_key(pem: str) -> Key:
    """Return the key of a PEM file, or raise `UnusableKey`."""
    for kind in (RSAKey, ECKey, OKPKey):
        try:
            return _checked(kind.import_key, pem)
        except InvalidKeyTypeError:
            continue
    raise UnusableKey("public_key is for RSA, EC or Ed25519")


def fits(key: Key, algorithm: str) -> bool:
    """Tell whether signatures of this algorithm can be checked with `key`, by its type and by what it says itself."""
    try:
        ALGORITHMS[algorithm].check_key(key)
        key.check_use("sig")
        key.check_alg(algorithm)
        key.check_key_op("verify")
    except JoseError:
        return False
    shortest = SHORTEST_SECRETS.get(algorithm, 0)
    return not isinstance(key, OctKey) or len(key.raw_value) >= shortest


def is_signature(signature: bytes, signed: bytes, *, algorithm: str, key: Key) -> bool:
    """Tell whether `key` made this signature."""
    return fits(key, algorithm) and ALGORITHMS[algorithm].verify(signed, signature, key)


def _members(document: object) -> list[Any]:
    members = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(members, list) or len(members) > MOST_KEYS:
        raise UnusableKey(f"a JWK set is an object with a list of at most {MOST_KEYS} keys")
    return members


def _understood(member: object) -> Key | None:
    try:
        return _key(member)
    except UnusableKey:  # RFC 7517 §5: a key that is not understood is ignored
        return None


def _key(member: object) -> Key:
    try:
        return _checked(JWKRegistry.import_key, member)
    except InvalidKeyTypeError:
        raise UnusableKey("a key is of a type that is not known here") from None


def _checked(import_key: Callable[[Any], Key], value: object) -> Key:
    """Import a key; what joserfc would only warn of, a key that is too short, is refused."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", SecurityWarning)
            key = import_key(value)
            key.validate_dict_key(key.dict_value)  # an odd curve shows only here
            return key
    except InvalidKeyTypeError:
        raise
    except SecurityWarning:
        raise UnusableKey("a key is too short to be safe") from None
    # Beside its own errors, joserfc lets through what a member of a wrong JSON type raises.
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, UnsupportedAlgorithm):
        raise UnusableKey("a key cannot be read") from None
