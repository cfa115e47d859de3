"""Issuers are asked for their keys rarely, also when somebody would like us to ask often."""

import asyncio
from datetime import timedelta

import pytest

from self_service_agent.kit.http.egress import EgressPolicy
from self_service_agent.request_manager.authentication.key_sets import Rhythm
from self_service_agent.request_manager.authentication.rules import KeysUnavailable, Principal
from tests.request_manager.authentication.signing import (
    NOW,
    OTHER_RSA,
    a_token,
    claims,
    header,
    oct_jwk,
    rs256,
    rsa_jwk,
)
from tests.request_manager.authentication.verifying import key_server, open_verifier, outcome

ALICE = Principal(login="alice")
OFTEN = Rhythm(refresh=timedelta(milliseconds=20), longest_pause=timedelta(milliseconds=20))


@pytest.fixture
async def server():
    async with key_server() as server:
        yield server


def another(count, *, kid="first", sign=None):
    """Return a token that was not seen before."""
    return a_token(header(kid=kid), claims(jti=str(count)), sign)


def after(seconds):
    return NOW + timedelta(seconds=seconds)


async def test_all_callers_share_one_fetch(server):
    server.open.clear()
    async with open_verifier(server.issuer()) as verifier, asyncio.TaskGroup() as callers:
        verified = [callers.create_task(outcome(verifier, another(count))) for count in range(50)]
        await server.wait_for(1)
        server.open.set()

    assert ([each.result() for each in verified], server.requests) == ([ALICE] * 50, 1)


async def test_keys_at_hand_are_not_fetched_again(server):
    async with open_verifier(server.issuer()) as verifier:
        for count in range(20):
            assert await outcome(verifier, another(count)) == ALICE

    assert server.requests == 1


async def test_a_caller_who_leaves_does_not_end_the_fetch_of_others(server):
    server.open.clear()
    async with open_verifier(server.issuer()) as verifier, asyncio.TaskGroup() as callers:
        leaving, staying = (callers.create_task(outcome(verifier, another(count))) for count in range(2))
        await server.wait_for(1)
        leaving.cancel()
        server.open.set()

        assert await staying == ALICE


async def test_a_new_key_is_found_by_its_first_token(server):
    async with open_verifier(server.issuer()) as verifier:
        assert await outcome(verifier, another(1)) == ALICE
        server.keys = [rsa_jwk(), rsa_jwk(OTHER_RSA, kid="second")]

        assert await outcome(verifier, another(2, kid="second", sign=rs256(OTHER_RSA))) == ALICE
        assert await outcome(verifier, another(3)) == ALICE

    assert server.requests == 2


async def test_a_new_key_without_a_name_is_found_too(server):
    server.keys = [rsa_jwk(OTHER_RSA, kid=None)]
    async with open_verifier(server.issuer()) as verifier:
        assert await outcome(verifier, another(1, kid=None)) is None
        server.keys = [rsa_jwk()]

        assert await outcome(verifier, another(2, kid=None), now=after(10)) == ALICE


async def test_a_key_is_found_that_was_published_while_keys_were_fetched(server):
    server.open.clear()
    async with open_verifier(server.issuer()) as verifier:
        await server.wait_for(1)  # the answer to this is made already
        server.keys = [rsa_jwk(OTHER_RSA, kid="second")]
        async with asyncio.TaskGroup() as callers:
            verified = callers.create_task(outcome(verifier, another(1, kid="second", sign=rs256(OTHER_RSA))))
            server.open.set()

    assert (verified.result(), server.requests) == (ALICE, 2)


async def test_a_storm_of_unknown_keys_asks_once_in_ten_seconds(server):
    async with open_verifier(server.issuer()) as verifier:
        assert await outcome(verifier, another(0)) == ALICE

        for seconds, requests in [(0, 2), (5, 2), (9.9, 2), (10, 3), (19, 3), (20, 4)]:
            storm = [outcome(verifier, another(n, kid=f"{seconds}/{n}"), now=after(seconds)) for n in range(200)]
            assert await asyncio.gather(*storm) == [None] * 200
            assert server.requests == requests


async def test_a_forged_signature_of_a_known_key_asks_nobody(server):
    async with open_verifier(server.issuer()) as verifier:
        for count in range(20):
            assert await outcome(verifier, another(count, sign=rs256(OTHER_RSA))) is None

    assert server.requests == 1


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param({"status": 500}, id="an error"),
        pytest.param({"status": 302}, id="a redirect"),
        pytest.param({"body": b"<html>"}, id="no JSON"),
        pytest.param({"body": b"[" * 50_000}, id="deep JSON"),
        pytest.param({"body": b'{"keys": {}}'}, id="no keys"),
        pytest.param({"body": b" " * 70_000 + b'{"keys": []}'}, id="too long"),
        pytest.param({"keys": [rsa_jwk(kid=str(count)) for count in range(65)]}, id="too many keys"),
    ],
)
async def test_the_last_keys_are_used_for_a_day_while_the_issuer_is_ill(server, trouble):
    async with open_verifier(server.issuer()) as verifier:
        assert await outcome(verifier, another(1)) == ALICE
        vars(server).update(trouble)
        assert await outcome(verifier, another(2, kid="new")) is None
        assert server.requests == 2

        day = 24 * 60 * 60
        lasting = claims(exp=int(after(2 * day).timestamp()))
        assert await outcome(verifier, a_token(payload=lasting), now=after(day - 3600)) == ALICE
        assert await outcome(verifier, a_token(payload=lasting), now=after(day + 3600)) is None


async def test_an_issuer_that_was_never_there_lets_nobody_in_and_is_found_later(server):
    server.status = 503
    async with open_verifier(server.issuer(), rhythm=Rhythm(longest_pause=timedelta(hours=1))) as verifier:
        refused = await asyncio.gather(*(outcome(verifier, another(count)) for count in range(50)))
        asked = server.requests
        server.status = 200

        assert (refused, await outcome(verifier, another(1), now=after(11))) == ([None] * 50, ALICE)

    assert asked <= 2


async def test_keys_are_fetched_again_in_the_background(server):
    async with open_verifier(server.issuer(), rhythm=OFTEN) as verifier:
        assert await outcome(verifier, another(1)) == ALICE
        server.keys = []
        await server.wait_for(server.requests + 2)

        assert await outcome(verifier, another(2)) is None


async def test_an_ill_issuer_is_asked_again_in_the_background(server):
    server.status = 503
    async with open_verifier(server.issuer(), rhythm=OFTEN) as verifier:
        await server.wait_for(3)
        server.status = 200
        await server.wait_for(server.requests + 2)

        assert await outcome(verifier, another(1)) == ALICE


async def test_what_is_no_public_key_for_signatures_is_passed_over(server):
    server.keys = [
        None,
        {},
        {"kty": ["RSA"]},
        {"kty": "RSA", "n": 1, "e": []},
        {"kty": "EC", "crv": "P-1", "x": "", "y": ""},
    ]
    server.keys += [
        {"kty": "AKP", "pub": "AAAA"},
        oct_jwk(kid="first"),
        rsa_jwk(use=["sig"], key_ops=["verify"]),
        rsa_jwk(),
    ]

    async with open_verifier(server.issuer()) as verifier:
        assert await outcome(verifier, another(1)) == ALICE


async def test_an_issuer_at_a_forbidden_address_is_not_asked(server):
    async with open_verifier(server.issuer(), policy=EgressPolicy()) as verifier:
        assert await outcome(verifier, another(1)) is None

    assert server.requests == 0


async def test_a_token_whose_issuer_is_out_of_reach_is_not_refused_but_cannot_be_judged(server):
    server.status = 503
    async with open_verifier(server.issuer()) as verifier:
        with pytest.raises(KeysUnavailable):
            await verifier.verify(another(1), now=NOW)
