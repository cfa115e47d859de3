"""A person is one user, by whichever name they are first seen."""

import asyncio

import pytest

from self_service_agent.shared_models.integrations import IntegrationType
from self_service_agent.shared_models.users import (
    Caller,
    UnknownPerson,
    UnusableName,
    User,
    find_by_identity,
    find_or_add,
    find_or_add_named,
    find_user,
    remember_identity,
    user_id_of,
)

ALICE = {"login": "alice.johnson", "email": "alice.johnson@company.com"}
SLACK = IntegrationType.SLACK


async def test_a_person_is_added_once_and_found_by_any_of_their_names(pool):
    added = await find_or_add(pool, **ALICE)

    assert await find_or_add(pool, login="Alice.Johnson ", email=None) == added
    assert await find_or_add(pool, login=None, email="ALICE.JOHNSON@company.com") == added
    assert await pool.fetchval("SELECT count(*) FROM users") == 1


@pytest.mark.parametrize("name", ["{0.user_id}", "{0.login}", "{0.email}"])
@pytest.mark.parametrize("written", [str.upper, str.title, " {} ".format])
async def test_every_form_of_a_name_finds_the_person(pool, name, written):
    added = await find_or_add(pool, **ALICE)

    assert await find_user(pool, written(name.format(added))) == added


@pytest.mark.parametrize("name", ["", "nobody", "01890000-0000-7000-8000-000000000000", "a\0b", "x" * 1000])
async def test_a_name_that_is_nobodys_finds_nobody(pool, name):
    await find_or_add(pool, **ALICE)

    assert await find_user(pool, name) is None


async def test_a_login_that_looks_like_an_id_is_not_the_person_with_that_id(pool):
    alice = await find_or_add(pool, **ALICE)
    impostor = await find_or_add(pool, login=alice.user_id, email=None)

    assert impostor.user_id != alice.user_id
    assert await find_user(pool, alice.user_id) == alice


async def test_a_name_that_was_not_known_yet_is_added(pool):
    by_login = await find_or_add(pool, login="alice.johnson", email=None)
    both = await find_or_add(pool, **ALICE)

    assert (by_login.email, both) == (None, User(user_id=by_login.user_id, **ALICE))
    assert await find_or_add(pool, login=None, email=ALICE["email"]) == both


async def test_a_further_login_of_a_mail_address_is_the_same_person(pool):
    first = await find_or_add(pool, **ALICE)
    second = await find_or_add(pool, login="ajohnson", email=ALICE["email"])

    assert (second.user_id, second.login, second.aliases) == (first.user_id, "alice.johnson", {"ajohnson"})
    assert second.is_named("AJohnson")
    assert await find_or_add(pool, login="ajohnson", email=None) == second
    assert await find_user(pool, "ajohnson") == second


async def test_simultaneous_first_sights_are_one_person(pool):
    seen = await asyncio.gather(*(find_or_add(pool, **ALICE) for _ in range(10)))

    assert len({user.user_id for user in seen}) == 1


@pytest.mark.parametrize("name", ["", "  ", "x" * 256, "\u00df" * 128])
async def test_a_name_that_nobody_can_have_is_refused(pool, name):
    with pytest.raises(UnusableName):
        await find_or_add(pool, login=name, email=None)


@pytest.mark.parametrize("name", ["Bob", "bob@company.com"])
async def test_a_trusted_caller_names_somebody_new(pool, name):
    bob = await find_or_add_named(pool, name)

    assert bob.is_named(name)
    assert await find_or_add_named(pool, bob.user_id) == bob


@pytest.mark.parametrize("written", [str, str.upper])
async def test_an_id_that_is_nobodys_makes_no_person(pool, written):
    with pytest.raises(UnknownPerson):
        await find_or_add_named(pool, written(user_id_of("nobody")))

    assert await pool.fetchval("SELECT count(*) FROM users") == 0


async def test_a_channel_knows_a_person_by_an_id_of_its_own(pool):
    alice = await find_or_add(pool, **ALICE)
    bob = await find_or_add(pool, login="bob", email=None)
    await remember_identity(pool, alice, SLACK, identity="U1", created_by="slack")

    assert await find_by_identity(pool, SLACK, "U1") == alice
    assert await find_by_identity(pool, IntegrationType.TEAMS, "U1") is None
    await remember_identity(pool, bob, SLACK, identity="U1", created_by="slack")
    assert await find_by_identity(pool, SLACK, "U1") == bob


async def test_several_people_may_be_unknown_to_a_channel(pool):
    for login in ("alice", "bob"):
        user = await find_or_add(pool, login=login, email=None)
        await remember_identity(pool, user, SLACK, identity=None, created_by="slack")

    assert await find_by_identity(pool, SLACK, "__NOT_FOUND__") is None
    assert await pool.fetchval("SELECT count(*) FROM user_integration_mappings") == 2


@pytest.mark.parametrize(
    ("roles", "staff", "admin"),
    [({"user"}, False, False), ({"operator"}, True, False), ({"user", "admin"}, True, True), (set(), False, False)],
)
def test_who_sees_what_belongs_to_others(roles, staff, admin):
    caller = Caller(user_id="u", roles=frozenset(roles))

    assert (caller.is_staff, caller.is_admin) == (staff, admin)
