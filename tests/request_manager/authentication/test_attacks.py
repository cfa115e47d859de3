"""Whatever an attacker makes of a token, it opens nothing."""

import base64
import json

import pytest

from self_service_agent.request_manager.authentication.rules import Principal, Unauthenticated
from tests.request_manager.authentication.signing import (
    AUDIENCE,
    DER,
    ISSUER,
    NOW,
    OTHER_RSA,
    PEM,
    SECONDS,
    SECRET,
    a_token,
    an_issuer,
    claims,
    encoded,
    es256,
    header,
    hs256,
    oct_jwk,
    ps256,
    rs256,
    rsa_jwk,
)
from tests.request_manager.authentication.verifying import open_verifier

SIGNED, _, SIGNATURE = a_token().rpartition(".")
HEAD, PAYLOAD = SIGNED.split(".")
ATTACKERS = rs256(OTHER_RSA)


def text_of(**changes):
    return json.dumps(claims(**changes))


def in_the_other_alphabet():
    tokens = (a_token(payload=claims(jti=str(count))) for count in range(100))
    return next(token.replace("-", "+").replace("_", "/") for token in tokens if "-" in token or "_" in token)


SIGNATURES = {
    "unsigned": f"{encoded(header(alg='none'))}.{PAYLOAD}.",
    "None": f"{encoded(header(alg='None'))}.{PAYLOAD}.",
    "nOnE": f"{encoded(header(alg='nOnE'))}.{PAYLOAD}.",
    "none with the signature of another token": f"{encoded(header(alg='none'))}.{PAYLOAD}.{SIGNATURE}",
    "stripped signature": f"{SIGNED}.",
    "no third part": SIGNED,
    "half a signature": f"{SIGNED}.{SIGNATURE[: len(SIGNATURE) // 2]}",
    "a zero signature": f"{SIGNED}.{encoded(bytes(256))}",
    "another key": a_token(sign=ATTACKERS),
    "another key of the same kid": a_token(header(kid="first"), sign=ATTACKERS),
    "HS256 with the PEM of the public key": a_token(header(alg="HS256"), sign=hs256(PEM)),
    "HS256 with the stripped PEM of the public key": a_token(header(alg="HS256"), sign=hs256(PEM.strip())),
    "HS256 with the DER of the public key": a_token(header(alg="HS256"), sign=hs256(DER)),
    "HS256 with the modulus": a_token(header(alg="HS256"), sign=hs256(rsa_jwk()["n"].encode())),
    "HS256 with nothing": a_token(header(alg="HS256"), sign=hs256(b"")),
    "an algorithm that the issuer does not use": a_token(header(alg="PS256"), sign=ps256),
    "an algorithm of another key": a_token(header(alg="ES256"), sign=es256),
    "an algorithm that is a list": a_token(header(alg=["RS256"])),
    "no algorithm": a_token(header(alg=None)),
    "another algorithm's name on the signature": a_token(header(alg="RS512")),
    "changed claims": f"{HEAD}.{encoded(claims(sub='admin'))}.{SIGNATURE}",
    "changed header": f"{encoded(header(kid='first', cty='x'))}.{PAYLOAD}.{SIGNATURE}",
}
HEADERS = {
    "a kid that is a path": a_token(header(kid="../../../../dev/null"), sign=hs256(b"")),
    "a kid that is SQL": a_token(header(kid="first' UNION SELECT 'AAAA"), sign=ATTACKERS),
    "an unknown kid": a_token(header(kid="somebody's"), sign=ATTACKERS),
    "an unknown kid on a good signature": a_token(header(kid="somebody's")),
    "a kid that is a list": a_token(header(kid=["first"])),
    "a kid that is null": a_token(header() | {"kid": None}),
    "an embedded key": a_token(header(jwk=rsa_jwk(OTHER_RSA), kid=None), sign=ATTACKERS),
    "an embedded secret": a_token(header(alg="HS256", jwk=oct_jwk()), sign=hs256(SECRET)),
    "an address of keys": a_token(header(jku="http://127.0.0.1:9/keys"), sign=ATTACKERS),
    "an address of a certificate": a_token(header(x5u="http://127.0.0.1:9/cert"), sign=ATTACKERS),
    "a certificate": a_token(header(x5c=[base64.b64encode(DER).decode()]), sign=ATTACKERS),
    "a critical extension": a_token(header(crit=["exp"], exp=1)),
    "a critical b64": a_token(header(crit=["b64"], b64=True)),
    "no critical extension": a_token(header(crit=[])),
    "b64 is false": a_token(header(b64=False)),
    "b64 is false, and critical": a_token(header(b64=False, crit=["b64"])),
    "a logout token": a_token(header(typ="logout+jwt")),
    "a proof of possession": a_token(header(typ="dpop+jwt")),
    "a type that is a number": a_token(header(typ=1)),
    "a header that is a list": a_token([]),
    "a header that is a number": a_token(7),
    "a header with a member twice": a_token(b'{"alg":"none","alg":"RS256","kid":"first"}', text_of().encode()),
}
CLAIMS = {
    "expired": claims(exp=SECONDS - 31),
    "never ending": claims(exp=None),
    "not yet valid": claims(nbf=SECONDS + 31),
    "issued in the future": claims(iat=SECONDS + 31),
    "an exp that is text": claims(exp=str(SECONDS + 600)),
    "an exp that is true": claims(exp=True),
    "an exp that is a list": claims(exp=[SECONDS + 600]),
    "a huge exp": claims(exp=10**30),
    "a huger exp": claims(exp=10**4000),
    "a negative exp": claims(exp=-1),
    "an iat that is true": claims(iat=True),
    "an nbf that is text": claims(nbf="now"),
    "another issuer": claims(iss="https://login.example.org"),
    "an issuer with a slash more": claims(iss=f"{ISSUER}/"),
    "an issuer in capitals": claims(iss=ISSUER.upper()),
    "no issuer": claims(iss=None),
    "a list of issuers": claims(iss=[ISSUER]),
    "another audience": claims(aud="another"),
    "other audiences": claims(aud=["another", "a third"]),
    "no audience": claims(aud=None),
    "no audiences": claims(aud=[]),
    "an audience in another": claims(aud=f"{AUDIENCE}-admin"),
    "an audience that is an object": claims(aud={AUDIENCE: 1}),
    "an audience beside a number": claims(aud=[AUDIENCE, 1]),
    "nobody": claims(sub=None),
    "an empty name": claims(sub=""),
    "a blank name": claims(sub=" "),
    "a name with a line break": claims(sub="alice\nbob"),
    "a name with NUL": claims(sub="alice\0"),
    "a name that is half a character": claims(sub="\ud800"),
    "a name that is a number": claims(sub=7),
    "a long name": claims(sub="a" * 256),
    "an e-mail that is none": claims(email="alice"),
    "groups that are numbers": claims(groups=[1]),
    "groups that are an object": claims(groups={"admins": True}),
    "a list": [claims()],
    "a text": "claims",
    "nothing": b"null",
}
FORMS = {
    "empty": "",
    "dots": "..",
    "many dots": "." * 5000,
    "an encrypted token": ".".join([encoded({"alg": "dir", "enc": "A256GCM"}), "", *["YWFh"] * 3]),
    "an encrypted token in three parts": f"{encoded({'alg': 'dir', 'enc': 'A256GCM'})}.{PAYLOAD}.{SIGNATURE}",
    "JSON serialization": json.dumps({"protected": HEAD, "payload": PAYLOAD, "signature": SIGNATURE}),
    "detached claims": f"{HEAD}..{SIGNATURE}",
    "padding": a_token() + "=",
    "a line break": a_token() + "\n",
    "a space": " " + a_token(),
    "the other alphabet": in_the_other_alphabet(),
    "letters beyond ASCII": a_token() + "é",
    "half a character": a_token() + "\ud800",
    "too long": a_token(payload=claims(padding="a" * 16_384)),
    "claims twice": a_token(header(), (text_of()[:-1] + ',"sub":"admin"}').encode()),
    "a nested member twice": a_token(header(), (text_of()[:-1] + ',"a":{"b":1,"b":2}}').encode()),
    "NaN": a_token(header(), text_of(exp=float("nan")).encode()),
    "Infinity": a_token(header(), text_of(exp=float("inf")).encode()),
    "an infinite number": a_token(header(), text_of(exp=1).replace('"exp": 1', '"exp": 1e999').encode()),
    "too many digits": a_token(header(), text_of(exp=1).replace('"exp": 1', '"exp": ' + "9" * 5000).encode()),
    "deep": a_token(b'{"alg":"RS256","kid":' + b"[" * 5000 + b"]" * 5000 + b"}", text_of().encode()),
    "UTF-16": a_token(json.dumps(header()).encode("utf-16"), text_of().encode()),
    "a byte order mark": a_token(json.dumps(header()).encode("utf-8-sig"), text_of().encode()),
    "no UTF-8": a_token(b'{"alg":"RS256","kid":"\xff"}', text_of().encode()),
}
TOKENS = {**SIGNATURES, **HEADERS, **{name: a_token(payload=payload) for name, payload in CLAIMS.items()}, **FORMS}


@pytest.fixture
async def verifier():
    async with open_verifier(an_issuer()) as verifier:
        yield verifier


@pytest.mark.parametrize("token", TOKENS.values(), ids=TOKENS.keys())
async def test_an_attack_is_merely_unauthenticated(verifier, token):
    with pytest.raises(Unauthenticated) as refused:
        await verifier.verify(token, now=NOW)

    message = str(refused.value)
    assert all(part not in message for part in token.split(".") if len(part) > 3)
    assert not any(word in message for word in (ISSUER, "alice", "first", "somebody's"))


async def test_the_token_that_they_are_made_from_is_good(verifier):
    assert await verifier.verify(a_token(), now=NOW) == Principal(login="alice")


@pytest.mark.parametrize("typ", [None, "JWT", "jwt", "at+jwt", "application/at+jwt"])
async def test_tokens_name_their_type_in_many_ways(verifier, typ):
    assert await verifier.verify(a_token(header(typ=typ)), now=NOW) == Principal(login="alice")


async def test_keys_that_a_token_brings_along_change_nothing(verifier):
    token = a_token(header(jwk=rsa_jwk(OTHER_RSA), jku="http://127.0.0.1:9/", x5u="http://127.0.0.1:9/", kid=None))

    assert await verifier.verify(token, now=NOW) == Principal(login="alice")
