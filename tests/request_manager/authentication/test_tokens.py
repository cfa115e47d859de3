"""A token that was verified is known again for a while, and no longer."""

from datetime import timedelta

import pytest

from self_service_agent.request_manager.authentication.key_sets import Rhythm
from self_service_agent.request_manager.authentication.rules import Principal
from tests.request_manager.authentication.signing import (
    NOW,
    OTHER_RSA,
    SECONDS,
    a_token,
    an_issuer,
    claims,
    rsa_jwk,
)
from tests.request_manager.authentication.verifying import key_server, open_verifier, outcome

ALICE = Principal(login="alice")


def after(seconds):
    return NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(("seconds", "known"), [(9.9, True), (39, True), (40, False), (70, False)])
async def test_a_known_token_expires_all_the_same(seconds, known):
    token = a_token(payload=claims(exp=SECONDS + 10))

    async with open_verifier(an_issuer()) as verifier:
        assert await outcome(verifier, token) == ALICE
        assert await outcome(verifier, token, now=after(seconds)) == (ALICE if known else None)


async def test_a_token_that_is_not_yet_valid_is_not_let_in_by_memory():
    token = a_token(payload=claims(nbf=SECONDS))

    async with open_verifier(an_issuer()) as verifier:
        assert await outcome(verifier, token) == ALICE
        assert await outcome(verifier, token, now=after(-31)) is None


async def test_a_token_of_a_removed_key_works_for_a_minute_at_most():
    async with key_server() as server, open_verifier(server.issuer()) as verifier:
        token = a_token()
        assert await outcome(verifier, token) == ALICE
        server.keys = [rsa_jwk(OTHER_RSA, kid="second")]
        await outcome(verifier, a_token({"alg": "RS256", "kid": "second"}), now=after(20))

        assert await outcome(verifier, token, now=after(59)) == ALICE
        assert await outcome(verifier, token, now=after(60)) is None


async def test_what_was_refused_is_judged_anew():
    async with key_server() as server:
        server.keys = []
        async with open_verifier(server.issuer(), rhythm=Rhythm(window=timedelta(seconds=1))) as verifier:
            assert await outcome(verifier, a_token()) is None
            server.keys = [rsa_jwk()]

            assert await outcome(verifier, a_token(), now=after(2)) == ALICE


async def test_only_so_many_tokens_are_remembered():
    first, second = a_token(), a_token(payload=claims(jti="second"))

    async with key_server() as server, open_verifier(server.issuer(), remembered=1) as verifier:
        assert [await outcome(verifier, token) for token in (first, second)] == [ALICE, ALICE]
        server.keys = []
        await outcome(verifier, a_token({"alg": "RS256", "kid": "new"}))

        assert [await outcome(verifier, token) for token in (first, second)] == [None, ALICE]
