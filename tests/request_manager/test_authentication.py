"""Who a caller is, judged by the credential and by nothing else."""

import pytest

from self_service_agent.request_manager.authentication.rules import Forbidden, Unauthenticated, bearer_of, check_scope
from self_service_agent.request_manager.keys.rules import Scope


@pytest.mark.parametrize(
    ("scope", "method", "path"),
    [
        (Scope.REQUESTS_WRITE, "POST", "/api/v1/requests/web"),
        (Scope.REQUESTS_READ, "GET", "/api/v1/requests/1/status"),
        (Scope.REQUESTS_WRITE, "POST", "/api/v1/requests/1/cancel"),
        (Scope.REQUESTS_READ, "GET", "/api/v1/conversations"),
        (Scope.SESSIONS, "PATCH", "/api/v1/sessions/1"),
        (Scope.KEYS, "GET", "/api/v1/keys"),
        (Scope.INTEGRATIONS, "PUT", "/api/v1/users/alice/integrations/EMAIL"),
        (Scope.INTEGRATIONS, "GET", "/api/v1/users/alice/deliveries"),
        (Scope.ADMIN, "DELETE", "/api/v1/users/alice/data"),
        (Scope.ADMIN, "GET", "/api/v1/audit"),
        (Scope.ADMIN, "GET", "/api/v1/requests-of-others"),
    ],
)
def test_a_limited_key_opens_its_own_doors_only(scope, method, path):
    check_scope(frozenset({scope}), method=method, path=path)

    with pytest.raises(Forbidden):
        check_scope(frozenset(Scope) - {scope}, method=method, path=path)


@pytest.mark.parametrize("header", ["Bearer x", "bearer x", "BEARER  x "])
def test_a_bearer_token_is_read_in_any_case(header):
    assert bearer_of(header) == "x"


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer  ", "Basic x", "x"])
def test_anything_else_is_no_bearer_token(header):
    with pytest.raises(Unauthenticated) as refused:
        bearer_of(header)

    assert refused.value.challenge == "Bearer"
