"""Tokens as issuers and attackers make them, signed without the library that checks them."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from self_service_agent.request_manager.authentication.issuers import Issuer

NOW = datetime.now(UTC).replace(microsecond=0)
SECONDS = int(NOW.timestamp())
ISSUER = "https://login.example.com"
AUDIENCE = "self-service-agent"
SECRET = b"a secret of thirty-two bytes, ok"
RSA = rsa.generate_private_key(65537, 2048)
OTHER_RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())
ED = ed25519.Ed25519PrivateKey.generate()
PEM = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
DER = RSA.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def encoded(value):
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def rs256(key=RSA):
    return lambda signed: key.sign(signed, padding.PKCS1v15(), SHA256())


def ps256(signed):
    return RSA.sign(signed, padding.PSS(padding.MGF1(SHA256()), SHA256.digest_size), SHA256())


def es256(signed):
    return b"".join(number.to_bytes(32) for number in utils.decode_dss_signature(EC.sign(signed, ec.ECDSA(SHA256()))))


def hs256(secret):
    return lambda signed: hmac.new(secret, signed, hashlib.sha256).digest()


def claims(**changes):
    known = {"iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "iat": SECONDS - 10, "exp": SECONDS + 7200}
    return {name: value for name, value in {**known, **changes}.items() if value is not None}


def header(**changes):
    known = {"alg": "RS256", "typ": "JWT", "kid": "first"}
    return {name: value for name, value in {**known, **changes}.items() if value is not None}


def a_token(head=None, payload=None, sign=None):
    signed = f"{encoded(header() if head is None else head)}.{encoded(claims() if payload is None else payload)}"
    return f"{signed}.{encoded((sign or rs256())(signed.encode()))}"


def number(value):
    return encoded(value.to_bytes((value.bit_length() + 7) // 8))


def rsa_jwk(key=RSA, **members):
    numbers = key.public_key().public_numbers()
    return {"kty": "RSA", "n": number(numbers.n), "e": number(numbers.e), "kid": "first", **members}


def ec_jwk(**members):
    numbers = EC.public_key().public_numbers()
    coordinates = {name: encoded(getattr(numbers, name).to_bytes(32)) for name in ("x", "y")}
    return {"kty": "EC", "crv": "P-256", "kid": "curve", **coordinates, **members}


def oct_jwk(secret=SECRET, **members):
    return {"kty": "oct", "k": encoded(secret), **members}


def an_issuer(**changes):
    known = {"issuer": ISSUER, "audience": AUDIENCE, "algorithms": ["RS256"], "jwks": {"keys": [rsa_jwk()]}}
    return Issuer.model_validate({name: value for name, value in {**known, **changes}.items() if value is not None})
