"""Three issuers with keys of three kinds, a good token of each, and a verifier that needs no loop."""

from self_service_agent.request_manager.authentication.key_sets import KeySets
from self_service_agent.request_manager.authentication.rules import Unauthenticated
from self_service_agent.request_manager.authentication.tokens import TokenVerifier
from tests.request_manager.authentication.signing import (
    NOW,
    SECRET,
    a_token,
    an_issuer,
    claims,
    ec_jwk,
    es256,
    header,
    hs256,
    oct_jwk,
)

BY_SECRET = an_issuer(issuer="https://secret.example.com", algorithms=["HS256"], jwks={"keys": [oct_jwk()]})
BY_CURVE = an_issuer(issuer="https://curve.example.com", algorithms=["ES256"], jwks={"keys": [ec_jwk()]})
ISSUERS = (an_issuer(), BY_SECRET, BY_CURVE)
GOOD = (
    a_token(),
    a_token({"alg": "HS256"}, claims(iss=BY_SECRET.issuer), hs256(SECRET)),
    a_token(header(alg="ES256", kid="curve"), claims(iss=BY_CURVE.issuer), es256),
)
VERIFIER = TokenVerifier(ISSUERS, KeySets(ISSUERS, {}))


def verified(token):
    """Return who brings the token, or raise `Unauthenticated`; configured keys need no waiting."""
    try:
        VERIFIER.verify(token, now=NOW).send(None)
    except StopIteration as result:
        return result.value
    raise AssertionError("a verification with configured keys waited")


def outcome(token):
    """Return who brings the token, or None for somebody who is refused."""
    try:
        return verified(token)
    except Unauthenticated:
        return None
