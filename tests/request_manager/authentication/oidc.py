"""A real OpenID provider on loopback: Authlib's authorization server, with people, two clients and rotating keys."""

import json
import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

import uvicorn
from authlib.oauth2 import OAuth2Error, OAuth2Request
from authlib.oauth2.rfc6749 import AuthorizationServer, ClientMixin, grants
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc9068 import JWTBearerTokenGenerator
from authlib.oidc.core import AuthorizationCodeMixin, OpenIDCode, UserInfo
from joserfc.jwk import KeySet, RSAKey
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

REDIRECT_URI = "http://127.0.0.1:9/callback"
API = "self-service-agent"


@dataclass(frozen=True)
class Person:
    login: str
    password: str
    groups: tuple = ()

    def get_user_id(self):
        return self.login

    @property
    def info(self):
        email = f"{self.login}@company.com"
        return UserInfo(sub=self.login, email=email, email_verified=True, groups=list(self.groups))


@dataclass(frozen=True)
class Application(ClientMixin):
    """A public client for people, or a confidential one for itself."""

    client_id: str
    grant: str
    secret: str | None = None

    def get_client_id(self):
        return self.client_id

    def get_default_redirect_uri(self):
        return REDIRECT_URI

    def get_allowed_scope(self, scope):
        return scope or ""

    def check_redirect_uri(self, redirect_uri):
        return redirect_uri == REDIRECT_URI

    def check_client_secret(self, client_secret):
        return self.secret is not None and client_secret == self.secret

    def check_endpoint_auth_method(self, method, endpoint):
        return method == ("none" if self.secret is None else "client_secret_basic")

    def check_response_type(self, response_type):
        return response_type == "code"

    def check_grant_type(self, grant_type):
        return grant_type == self.grant


@dataclass(frozen=True)
class Code(AuthorizationCodeMixin):
    code: str
    client_id: str
    person: Person
    scope: str
    nonce: str | None
    code_challenge: str | None
    code_challenge_method: str | None

    def get_redirect_uri(self):
        return REDIRECT_URI

    def get_scope(self):
        return self.scope

    def get_nonce(self):
        return self.nonce

    def get_auth_time(self):
        return int(time.time())


@dataclass
class Provider:
    """What the provider knows; `rotate` signs with a new key and still publishes the ones before."""

    issuer: str
    keys: tuple = field(default_factory=lambda: (RSAKey.generate_key(auto_kid=True),))
    people: tuple = (Person("alice", "wonderland", ("it-admins",)), Person("bob", "builder"))
    clients: tuple = (Application("web", "authorization_code"), Application("job", "client_credentials", "s3cret"))
    codes: dict = field(default_factory=dict)
    key_requests: int = 0

    def rotate(self):
        self.keys = (RSAKey.generate_key(auto_kid=True), *self.keys[:2])
        return self.keys[0].kid

    @property
    def signing(self):
        return KeySet([self.keys[0]])


class CodeGrant(grants.AuthorizationCodeGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ("none",)

    def save_authorization_code(self, code, request):
        data = request.payload.data
        details = {name: data.get(name) for name in ("nonce", "code_challenge", "code_challenge_method")}
        self.server.provider.codes[code] = Code(code, request.client.client_id, request.user, request.scope, **details)

    def query_authorization_code(self, code, client):
        known = self.server.provider.codes.get(code)
        return known if known and known.client_id == client.client_id else None

    def delete_authorization_code(self, authorization_code):
        del self.server.provider.codes[authorization_code.code]

    def authenticate_user(self, authorization_code):
        return authorization_code.person


class ClientGrant(grants.ClientCredentialsGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic",)


class IdTokens(OpenIDCode):
    def __init__(self, provider):
        super().__init__(require_nonce=True)
        self.provider = provider

    def exists_nonce(self, nonce, request):
        return any(code.nonce == nonce for code in self.provider.codes.values())

    def resolve_client_private_key(self, client):
        return self.provider.signing

    def get_client_algorithm(self, client):
        return "RS256"

    def get_encode_header(self, client):
        return {"alg": "RS256", "kid": self.provider.keys[0].kid}

    def get_client_claims(self, client):
        return {"iss": self.provider.issuer, "aud": [client.get_client_id()]}

    def generate_user_info(self, user, scope):
        return user.info


class AccessTokens(JWTBearerTokenGenerator):
    def __init__(self, provider):
        super().__init__(provider.issuer)
        self.provider = provider

    def get_jwks(self):
        return self.provider.signing

    def get_audiences(self, client, user, scope):
        return [API]

    def get_extra_claims(self, client, grant_type, user, scope):
        return dict(user.info) if user else {}


class FormRequest(OAuth2Request):
    def __init__(self, request, form):
        super().__init__(request.method, str(request.url), headers=request.headers)
        self._query = dict(request.query_params)
        self._form = form
        self.payload = BasicOAuth2Payload({**self._query, **form})

    @property
    def args(self):
        return self._query

    @property
    def form(self):
        return self._form


class Server(AuthorizationServer):
    def __init__(self, provider):
        super().__init__(scopes_supported=["openid", "email"])
        self.provider = provider
        self.register_grant(CodeGrant, [CodeChallenge(required=True), IdTokens(provider)])
        self.register_grant(ClientGrant)
        self.register_token_generator("default", AccessTokens(provider))

    def query_client(self, client_id):
        return next((client for client in self.provider.clients if client.client_id == client_id), None)

    def save_token(self, token, request):
        """Nothing is asked about tokens later."""

    def send_signal(self, name, *args, **kwargs):
        """Nobody listens."""

    def create_oauth2_request(self, request):
        return request

    def handle_response(self, status, body, headers):
        content = json.dumps(body) if isinstance(body, dict) else body
        return Response(content, status_code=status, headers=dict(headers))


def application(provider):
    """Return the provider as an app: discovery, keys, the page to log in, and tokens."""
    server = Server(provider)

    async def discovery(request):
        endpoints = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
        known = {name: f"{provider.issuer}/{path}" for name, path in endpoints.items()}
        return JSONResponse({"issuer": provider.issuer, "id_token_signing_alg_values_supported": ["RS256"], **known})

    async def keys(request):
        provider.key_requests += 1
        return JSONResponse({"keys": [key.as_dict(private=False, use="sig", alg="RS256") for key in provider.keys]})

    async def authorize(request):
        form = FormRequest(request, await _form(request))
        person = _person(provider, form.form)
        try:
            grant = server.get_consent_grant(form, end_user=person)
        except OAuth2Error as error:
            return JSONResponse(dict(error.get_body()), status_code=400)
        if person is None:
            return HTMLResponse("<form method=post>", status_code=401 if form.form else 200)
        return server.create_authorization_response(form, grant_user=person, grant=grant)

    async def token(request):
        return server.create_token_response(FormRequest(request, await _form(request)))

    return Starlette(
        routes=[
            Route("/.well-known/openid-configuration", discovery),
            Route("/keys", keys),
            Route("/authorize", authorize, methods=["GET", "POST"]),
            Route("/token", token, methods=["POST"]),
        ]
    )


def _person(provider, form):
    entered = form.get("username"), form.get("password")
    return next((person for person in provider.people if (person.login, person.password) == entered), None)


async def _form(request):
    return dict(parse_qsl((await request.body()).decode()))


@contextmanager
def running_provider():
    """Yield the provider while uvicorn serves it in a thread of its own."""
    listening = socket.create_server(("127.0.0.1", 0))
    provider = Provider(f"http://127.0.0.1:{listening.getsockname()[1]}")
    config = uvicorn.Config(application(provider), log_config=None, ws="none", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield provider
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
