"""Random damage to texts and bytes, and to good tokens in particular."""

import json

from tests.request_manager.authentication.signing import a_token, claims, encoded, header, hs256

_PIECES = [
    "",
    ".",
    "..",
    "=",
    "\0",
    "\n",
    "é",
    "\ud800",
    "eyJ",
    "e30",
    "bm9uZQ",
    "[]",
    "{}",
    '"',
    "%00",
    "'--",
    "-1",
    "9" * 30,
]
_ALPHABET = "ABCDEFabcdef0123456789-_.=+/ "
_ODD = [
    None,
    True,
    -1,
    0,
    2**63,
    10**400,
    1e308,
    "",
    "none",
    "HS256",
    "RS256",
    [],
    ["none"],
    {},
    {"a": {}},
    "\0",
    "\ud800",
]
_MEMBERS = [
    "alg",
    "typ",
    "kid",
    "crit",
    "b64",
    "jwk",
    "jku",
    "x5c",
    "x5u",
    "enc",
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
]


def damaged(random, text):
    """Return `text` after one to four small changes."""
    for _ in range(random.randint(1, 4)):
        start = random.randint(0, len(text))
        end = min(len(text), start + random.choice([0, 0, 1, 1, 2, 8, 50]))
        text = text[:start] + _piece(random, text) + text[end:]
    return text


def damaged_bytes(random, content):
    return damaged(random, content.decode("latin-1")).encode("utf-8", "surrogatepass")


def odd_members(random, members):
    """Return JSON members of which some are of another value, or missing."""
    changed = dict(members)
    for _ in range(random.randint(1, 3)):
        name = random.choice([*_MEMBERS, *members])
        if random.random() < 0.2:
            changed.pop(name, None)
        else:
            changed[name] = random.choice(_ODD)
    return changed


def damaged_token(random, good):
    """Return a token that none of the issuers of `good` signed."""
    token = random.choice(good)
    while token in good:
        token = _FORGERIES[random.randrange(len(_FORGERIES))](random, good)
    return token


def oddly_signed(random, issuer, secret):
    """Return a token that its issuer signed, of a header and of claims that make little sense."""
    head = odd_members(random, {"alg": "HS256"}) if random.random() < 0.3 else {"alg": "HS256"}
    return a_token(head, odd_members(random, claims(iss=issuer)), hs256(secret))


def _piece(random, text):
    kind = random.random()
    if kind < 0.4:
        return random.choice(_PIECES)
    if kind < 0.6 and text:
        start = random.randrange(len(text))
        return text[start : start + random.randint(1, 60)]
    return "".join(random.choices(_ALPHABET, k=random.randint(0, 6)))


def _edited(random, good):
    return damaged(random, random.choice(good))


def _flipped(random, good):
    letters = list(random.choice(good))
    for _ in range(random.randint(1, 3)):
        letters[random.randrange(len(letters))] = random.choice(_ALPHABET)
    return "".join(letters)


def _mixed(random, good):
    parts = ".".join(good).split(".")
    return ".".join(random.choices([*parts, ""], k=random.choice([2, 3, 3, 3, 3, 4, 5])))


def _forged(random, good):
    """Return other claims or another header under a signature that was made for something else."""
    _, _, signature = random.choice(good).rpartition(".")
    head, body = odd_members(random, header()), odd_members(random, claims())
    return f"{encoded(json.dumps(head).encode())}.{encoded(json.dumps(body).encode())}.{signature}"


def _guessed(random, good):
    return a_token(odd_members(random, {"alg": "HS256"}), claims(), hs256(random.randbytes(32)))


def _noise(random, good):
    return "".join(random.choices(_ALPHABET, k=random.randint(0, 80)))


_FORGERIES = (_edited, _edited, _flipped, _flipped, _mixed, _forged, _forged, _guessed, _noise)
