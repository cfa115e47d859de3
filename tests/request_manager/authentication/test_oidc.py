"""People log in at a real OpenID provider, and its tokens open our doors, also while it changes its keys."""

import asyncio
import base64
import hashlib
import json
import secrets
from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from self_service_agent.kit import clock
from self_service_agent.kit.http.client import Client
from self_service_agent.kit.http.egress import EgressPolicy
from self_service_agent.request_manager.authentication.issuers import Issuer
from self_service_agent.request_manager.authentication.key_sets import Rhythm
from self_service_agent.request_manager.authentication.rules import Principal, Role
from tests.request_manager.authentication.oidc import API, REDIRECT_URI, running_provider
from tests.request_manager.authentication.verifying import open_verifier, outcome

FORM = {"content-type": "application/x-www-form-urlencoded"}
JOB = FORM | {"authorization": "Basic " + base64.b64encode(b"job:s3cret").decode()}


@pytest.fixture
def provider():
    with running_provider() as provider:
        yield provider


@pytest.fixture
async def http():
    async with Client.open(policy=EgressPolicy(allow_loopback=True), user_agent="ssa-test/1") as http:
        yield http


async def discover(http, provider):
    """Return the provider's own description, and the issuer that an operator would configure from it."""
    known = json.loads((await http.get(f"{provider.issuer}/.well-known/openid-configuration")).content)
    issuer = Issuer(
        issuer=known["issuer"],
        audience=["web", API],
        algorithms=tuple(known["id_token_signing_alg_values_supported"]),
        jwks_uri=known["jwks_uri"],
        roles={"it-admins": Role.ADMIN},
    )
    return known, issuer


async def post(http, url, headers, **form):
    return await http.post(url, headers=headers, content=urlencode(form).encode())


class Login:
    """One try to log in with a code and PKCE, as an app for people does it."""

    def __init__(self, http, known):
        self.http = http
        self.known = known
        self.verifier = secrets.token_urlsafe(48)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {"response_type": "code", "client_id": "web", "redirect_uri": REDIRECT_URI, "scope": "openid email"}
        asked |= {"nonce": secrets.token_urlsafe(9), "state": "s", "code_challenge": challenge}
        self.page = f"{known['authorization_endpoint']}?{urlencode(asked | {'code_challenge_method': 'S256'})}"

    async def enter(self, username, password):
        return await post(self.http, self.page, FORM, username=username, password=password)

    async def redeem(self, redirect, verifier=None):
        [code] = parse_qs(urlsplit(redirect.headers["location"]).query)["code"]
        answer = await post(
            self.http,
            self.known["token_endpoint"],
            FORM,
            grant_type="authorization_code",
            client_id="web",
            redirect_uri=REDIRECT_URI,
            code=code,
            code_verifier=verifier or self.verifier,
        )
        return answer.status, json.loads(answer.content)


async def test_a_login_at_the_provider_opens_our_door(provider, http):
    known, issuer = await discover(http, provider)
    login = Login(http, known)
    assert (await http.get(login.page)).status == 200
    assert (await login.enter("alice", "wrong")).status == 401

    status, tokens = await login.redeem(await login.enter("alice", "wonderland"))

    assert status == 200
    alice = Principal(login="alice", email="alice@company.com", roles=frozenset({Role.USER, Role.ADMIN}))
    async with open_verifier(issuer) as verifier:
        principals = [await verifier.verify(tokens[kind], now=clock.now()) for kind in ("id_token", "access_token")]
        late = clock.now() + timedelta(days=11)
        assert await outcome(verifier, tokens["id_token"], now=late) is None
    assert principals == [alice, alice]


async def test_a_stolen_code_is_no_token(provider, http):
    known, _ = await discover(http, provider)
    login = Login(http, known)

    status, answer = await login.redeem(await login.enter("bob", "builder"), verifier="a" * 64)

    assert (status, answer["error"]) == (400, "invalid_grant")


async def test_a_token_for_another_api_opens_nothing(provider, http):
    _, issuer = await discover(http, provider)
    token = await a_job_token(http, provider)

    async with open_verifier(issuer.model_copy(update={"audience": frozenset({"web"})})) as verifier:
        assert await outcome(verifier, token, now=clock.now()) is None


async def a_job_token(http, provider):
    answer = await post(http, f"{provider.issuer}/token", JOB, grant_type="client_credentials")
    return json.loads(answer.content)["access_token"]


async def test_no_verification_fails_while_the_provider_changes_its_keys(provider, http):
    _, issuer = await discover(http, provider)
    verified, changed = [], asyncio.Event()

    async def work(verifier):
        old = await a_job_token(http, provider)
        while True:
            new = await a_job_token(http, provider)
            verified.extend([(await outcome(verifier, each, now=clock.now()), kid_of(each)) for each in (new, old)])
            changed.set()
            old = new

    often = Rhythm(window=timedelta(milliseconds=1))
    async with open_verifier(issuer, rhythm=often) as verifier, asyncio.TaskGroup() as tasks, asyncio.timeout(30):
        working = [tasks.create_task(work(verifier)) for _ in range(8)]
        for _ in range(5):
            kid = await asyncio.to_thread(provider.rotate)
            while sum(seen == kid for _, seen in verified) < 40:
                await changed.wait()
                changed.clear()
        for task in working:
            task.cancel()

    assert {principal for principal, _ in verified} == {Principal(login="job")}
    assert len({kid for _, kid in verified}) >= 5
    assert provider.key_requests <= 15


def kid_of(token):
    head = token.partition(".")[0]
    return json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))["kid"]
