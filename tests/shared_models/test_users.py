"""A person is one user, by whichever name they are first seen."""

import asyncio

import pytest

from self_service_agent.shared_models.users import UnusableName, User, find_or_add

ALICE = {"login": "alice.johnson", "email": "alice.johnson@company.com"}


async def test_a_person_is_added_once_and_found_by_any_of_their_names(pool):
    added = await find_or_add(pool, **ALICE)

    assert await find_or_add(pool, login="Alice.Johnson ", email=None) == added
    assert await find_or_add(pool, login=None, email="ALICE.JOHNSON@company.com") == added
    assert await pool.fetchval("SELECT count(*) FROM users") == 1


async def test_a_name_that_was_not_known_yet_is_added(pool):
    by_login = await find_or_add(pool, login="alice.johnson", email=None)
    both = await find_or_add(pool, **ALICE)

    assert (by_login.email, both) == (None, User(user_id=by_login.user_id, **ALICE))
    assert await find_or_add(pool, login=None, email=ALICE["email"]) == both


async def test_simultaneous_first_sights_are_one_person(pool):
    seen = await asyncio.gather(*(find_or_add(pool, **ALICE) for _ in range(10)))

    assert len({user.user_id for user in seen}) == 1


async def test_a_person_whose_names_came_apart_is_served_all_the_same(pool):
    by_email = await find_or_add(pool, login=None, email=ALICE["email"])
    by_login = await find_or_add(pool, login=ALICE["login"], email=None)

    user = await find_or_add(pool, **ALICE)

    assert user.user_id == by_login.user_id != by_email.user_id
    assert user.is_named("alice.johnson@company.com")


@pytest.mark.parametrize("name", ["", "  ", "x" * 256, "\u00df" * 128])
async def test_a_name_that_nobody_can_have_is_refused(pool, name):
    with pytest.raises(UnusableName):
        await find_or_add(pool, login=name, email=None)
