"""Nobody hands out more than they have."""

from datetime import timedelta

import pytest

from self_service_agent.request_manager.keys import rules
from self_service_agent.request_manager.keys.errors import KeyForbidden, KeyNotChangeable, UnusableKeyWish
from self_service_agent.request_manager.keys.rules import ApiKey, KeyCaller, KeyOwner, KeyState, Origin, Role, Scope
from tests.request_manager.audit.builders import NOON

USER, OPERATOR, ADMIN, SERVICE = Role.USER, Role.OPERATOR, Role.ADMIN, Role.SERVICE
READ, WRITE, KEYS, POWER = Scope.REQUESTS_READ, Scope.REQUESTS_WRITE, Scope.KEYS, Scope.ADMIN
HOUR = timedelta(hours=1)


def a_caller(*roles, scopes=()):
    return KeyCaller(
        user_id="1", login="alice.johnson", email="alice@company.com", roles=frozenset(roles or {USER}),
        scopes=frozenset(scopes),
    )  # fmt: skip


def a_key(**changes):
    owner = KeyOwner(key_id="k", user_id="1", roles=frozenset({USER}))
    values = {"owner": owner, "origin": Origin.STORED, "hint": "ssa_pabcd", "name": "laptop", "created_by": "1"}
    return ApiKey(**{**values, "created_at": NOON, **changes})


@pytest.mark.parametrize(
    ("caller", "roles", "scopes", "is_allowed"),
    [
        pytest.param(a_caller(), {USER}, (), True, id="what one has"),
        pytest.param(a_caller(), {USER, ADMIN}, (), False, id="a role one does not have"),
        pytest.param(a_caller(USER, OPERATOR), {OPERATOR}, (), True, id="a role of several"),
        pytest.param(a_caller(ADMIN), {USER, OPERATOR}, (), True, id="an administrator gives any role"),
        pytest.param(a_caller(scopes=[KEYS, READ]), {USER}, [READ], True, id="a scope one has"),
        pytest.param(a_caller(scopes=[KEYS, READ]), {USER}, [READ, WRITE], False, id="a scope one does not have"),
        pytest.param(a_caller(scopes=[KEYS, READ]), {USER}, (), False, id="no limit, by a limited key"),
        pytest.param(a_caller(ADMIN, scopes=[KEYS, POWER]), {USER}, (), False, id="not even by an administrator"),
    ],
)
def test_what_may_be_handed_out(caller, roles, scopes, is_allowed):
    def grant():
        rules.check_grant(caller, roles=frozenset(roles), scopes=frozenset(scopes))

    if is_allowed:
        grant()
        return
    with pytest.raises(KeyForbidden):
        grant()


@pytest.mark.parametrize(
    ("scopes", "roles"),
    [((), {USER, ADMIN, OPERATOR}), ([POWER], {USER, ADMIN, OPERATOR}), ([READ, KEYS], {USER})],
)
def test_a_limited_key_has_no_power_over_others(scopes, roles):
    owner = KeyOwner(key_id="k", roles=frozenset({USER, ADMIN, OPERATOR}), scopes=frozenset(scopes))

    assert owner.effective_roles == roles


@pytest.mark.parametrize("scopes", [(), [KEYS], [READ, KEYS]])
def test_a_key_that_reaches_keys_may_manage_them(scopes):
    rules.check_may_manage(a_caller(scopes=scopes))


def test_a_key_that_is_limited_to_other_things_may_not():
    with pytest.raises(KeyForbidden, match="limited to requests:read"):
        rules.check_may_manage(a_caller(ADMIN, scopes=[READ]))


@pytest.mark.parametrize(
    ("tool_id", "wanted", "roles"),
    [(None, None, {USER}), (None, {ADMIN}, {ADMIN}), ("monitor", None, {SERVICE}), ("monitor", {SERVICE}, {SERVICE})],
)
def test_the_roles_of_a_new_key(tool_id, wanted, roles):
    assert rules.roles_of_key(wanted and frozenset(wanted), tool_id=tool_id) == roles


@pytest.mark.parametrize(("tool_id", "wanted"), [(None, {SERVICE}), ("monitor", {ADMIN}), ("monitor", {USER})])
def test_roles_that_do_not_fit_the_owner(tool_id, wanted):
    with pytest.raises(UnusableKeyWish):
        rules.roles_of_key(frozenset(wanted), tool_id=tool_id)


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, KeyState.ACTIVE),
        ({"expires_at": NOON + HOUR}, KeyState.ACTIVE),
        ({"expires_at": NOON}, KeyState.EXPIRED),
        ({"expires_at": NOON, "revoked_at": NOON - HOUR}, KeyState.REVOKED),
    ],
)
def test_the_state_of_a_key(changes, state):
    assert a_key(**changes).state(NOON) is state


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"expires_at": NOON}, "expired"),
        ({"revoked_at": NOON}, "revoked"),
        ({"replaced_by": "another"}, "another has taken its place"),
        ({"origin": Origin.ENVIRONMENT, "name": "WEB_API_KEYS"}, "WEB_API_KEYS"),
    ],
)
def test_what_cannot_be_rotated(changes, reason):
    with pytest.raises(KeyNotChangeable, match=reason):
        rules.check_rotatable(a_key(**changes), NOON)


@pytest.mark.parametrize(
    ("expires_at", "ends"), [(None, NOON + HOUR), (NOON + 2 * HOUR, NOON + HOUR), (NOON + HOUR / 2, NOON + HOUR / 2)]
)
def test_an_overlap_does_not_prolong_a_key(expires_at, ends):
    assert rules.end_of_overlap(a_key(expires_at=expires_at), HOUR, NOON) == ends


@pytest.mark.parametrize(("expires_at", "renewed"), [(None, None), (NOON + HOUR, NOON + 3 * HOUR)])
def test_a_successor_lives_as_long_as_its_predecessor_was_to(expires_at, renewed):
    assert rules.renewed_expiry(a_key(expires_at=expires_at), NOON + 2 * HOUR) == renewed
