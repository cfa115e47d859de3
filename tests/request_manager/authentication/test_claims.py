"""Who a token stands for, once its signature is right."""

import pytest

from self_service_agent.request_manager.authentication.claims import judge
from self_service_agent.request_manager.authentication.rules import Principal, Role, Unauthenticated
from tests.request_manager.authentication.signing import AUDIENCE, SECONDS, an_issuer, claims

ROLES = {"it-admins": "admin", "help-desk": "operator"}


def principal(issuer=None, *, now=SECONDS, **changes):
    return judge(claims(**changes), issuer or an_issuer(), now=now, leeway=30).principal


@pytest.mark.parametrize(
    ("changes", "login", "email"),
    [
        pytest.param({}, "alice", None, id="a login"),
        pytest.param({"email": "Alice@Company.com"}, "alice", "alice@company.com", id="a login and an e-mail"),
        pytest.param({"email": "a@b.com", "email_verified": True}, "alice", "a@b.com", id="a verified e-mail"),
        pytest.param({"email": "a@b.com", "email_verified": "true"}, "alice", "a@b.com", id="verified, as text"),
        pytest.param({"email": "a@b.com", "email_verified": False}, "alice", None, id="an e-mail that is not verified"),
        pytest.param({"email": "a@b.com", "email_verified": "false"}, "alice", None, id="not verified, as text"),
        pytest.param({"email": "a@b.com", "email_verified": None}, "alice", "a@b.com", id="nothing about verification"),
        pytest.param({"sub": "Alice@Company.com"}, None, "alice@company.com", id="an e-mail as the name"),
        pytest.param({"sub": "a@b.com", "email": "c@d.com"}, None, "a@b.com", id="the name before the e-mail"),
    ],
)
def test_a_person_has_a_login_or_an_email(changes, login, email):
    assert principal(**changes) == Principal(login=login, email=email)


def test_the_claims_can_have_other_names():
    issuer = an_issuer(
        user_claim="preferred_username", email_claim="mail", groups_claim="realm_access.roles", roles=ROLES
    )

    known = principal(issuer, preferred_username="bob", mail="b@c.com", realm_access={"roles": ["help-desk"]})

    assert known == Principal(login="bob", email="b@c.com", roles=frozenset({Role.USER, Role.OPERATOR}))


def test_a_claim_may_have_dots_in_its_name():
    issuer = an_issuer(groups_claim="https://example.com/groups", roles=ROLES)

    assert principal(issuer, **{"https://example.com/groups": ["it-admins"]}).is_admin


def test_an_email_that_is_the_name_must_be_verified():
    issuer = an_issuer(user_claim="email")

    assert principal(issuer, email="a@b.com") == Principal(email="a@b.com")
    with pytest.raises(Unauthenticated):
        principal(issuer, email="a@b.com", email_verified=False)


@pytest.mark.parametrize(
    ("groups", "roles"),
    [
        (None, {Role.USER}),
        ([], {Role.USER}),
        (["admin", "operator", "service"], {Role.USER}),
        (["IT-Admins"], {Role.USER}),
        ("it-admins", {Role.USER, Role.ADMIN}),
        (["staff", "help-desk"], {Role.USER, Role.OPERATOR}),
        (["it-admins", "help-desk"], {Role.USER, Role.OPERATOR, Role.ADMIN}),
    ],
)
def test_only_a_configured_group_makes_more_than_a_user(groups, roles):
    assert principal(an_issuer(roles=ROLES), groups=groups).roles == roles


def test_roles_in_a_token_mean_nothing():
    known = principal(an_issuer(roles=ROLES), roles=["admin"], role="admin", is_admin=True, tool_id="hr-system")

    assert known == Principal(login="alice")


@pytest.mark.parametrize("audience", [AUDIENCE, [AUDIENCE], ["other", AUDIENCE]])
def test_one_audience_of_ours_is_enough(audience):
    assert principal(an_issuer(audience=["ours too", AUDIENCE]), aud=audience) == Principal(login="alice")


@pytest.mark.parametrize(
    ("changes", "valid"),
    [
        ({"exp": SECONDS - 29}, True),
        ({"exp": SECONDS - 30}, False),
        ({"exp": SECONDS - 29.5}, True),
        ({"nbf": SECONDS + 30}, True),
        ({"nbf": SECONDS + 31}, False),
        ({"iat": SECONDS + 30}, True),
        ({"iat": SECONDS + 31}, False),
        ({"iat": None}, True),
    ],
)
def test_clocks_may_differ_by_the_leeway(changes, valid):
    if valid:
        assert principal(**changes) == Principal(login="alice")
    else:
        with pytest.raises(Unauthenticated):
            principal(**changes)
