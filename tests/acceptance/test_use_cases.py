"""Every use case that is definitions only, from the question over HTTP to the records of the mock ServiceNow."""

import pytest

from tests.acceptance.house import eventually
from tests.acceptance.itsm import an_office

WHY = "I look after the customers in the north now"


async def test_access_without_approval_is_requested_after_a_yes(houses):
    async with an_office(houses) as office:
        asked = await office.hear("I need access to the CRM", "CRM", "reader", WHY)
        before = office.ordered
        done = await office.hear("yes")

    assert asked["metadata"]["pending_confirmation"]["action"] == "open_service_request"
    assert before == []
    assert "REQ0010001" in done["content"]
    assert office.ordered == [("access-request", {"system": "crm", "role": "crm-reader"})]


@pytest.mark.parametrize(
    ("granted", "ordered"),
    [(True, [("access-request", {"system": "crm", "role": "crm-sales"})]), (False, [])],
)
async def test_access_of_more_weight_waits_for_the_manager(houses, granted, ordered):
    async with an_office(houses) as office:
        waiting = await office.hear("I need access to the CRM", "CRM", "sales", WHY, "yes")
        before = office.ordered
        await office.decide(user="brian.cole", granted=granted)

        async def followed_up():
            return await office.house.rows(
                "SELECT 1 FROM request_logs WHERE request_type <> 'message' AND status = 'completed'"
            )

        await eventually(followed_up)
        after = office.ordered

    assert (waiting["metadata"]["expects"], before, after) == ("approval", [], ordered)
    assert "I asked Brian Cole." in waiting["content"]


async def test_free_software_is_requested_after_a_yes(houses):
    async with an_office(houses) as office:
        done = await office.hear("I need a software licence", "text editor", WHY, "yes")

    assert "REQ0010001" in done["content"]
    assert office.ordered == [("software-licence", {"software": "text-editor"})]


async def test_paid_software_says_what_is_left_and_waits_for_the_manager(houses):
    async with an_office(houses) as office:
        asked = await office.hear("I need a software licence", "project planner", WHY)
        waiting = await office.hear("yes")

    assert "3 licences are left" in asked["content"]
    assert waiting["metadata"]["expects"] == "approval"
    assert office.ordered == []


async def test_tickets_are_listed_looked_up_and_commented(houses):
    async with an_office(houses) as office:
        none = await office.hear("show my tickets")
        await office.hear("I need a software licence", "text editor", WHY, "yes")
        listed = await office.hear("show my tickets")
        await office.hear("add a comment to my ticket", "1", "Please hurry [code]<b>x</b>[/code]", "yes")
        found = await office.hear("look up ticket REQ0010001")
        [comment] = office.itsm.journal.comments

    assert none["content"].startswith("You have no tickets.")
    assert "- REQ0010001: Software licence, Open, opened on" in listed["content"]
    assert "Please hurry (code)<b>x</b>(/code)" in found["content"]
    assert comment.value.startswith("Please hurry (code)")


async def test_a_ticket_of_somebody_else_is_not_found(houses):
    async with an_office(houses) as office:
        await office.hear("I need a software licence", "text editor", WHY, "yes", user="brian.cole")
        refused = await office.hear("look up ticket REQ0010001")

    assert "I find no ticket REQ0010001 of yours" in refused["content"]


async def test_equipment_is_listed(houses):
    async with an_office(houses) as office:
        listed = await office.hear("what equipment do I have")

    assert "Latitude 7420, asset DL7420001" in listed["content"]


async def test_an_email_address_is_changed_by_a_request(houses):
    async with an_office(houses) as office:
        asked = await office.hear("change my email", "alice.smith@company.com", "I got married")
        done = await office.hear("yes")

    assert asked["content"].startswith("alice.smith@company.com instead of ")
    assert "REQ0010001" in done["content"]
    assert office.ordered == [("email-change", {"new_address": "alice.smith@company.com"})]


async def test_passwords_and_the_vpn_are_explained_and_problems_reach_a_person(houses):
    async with an_office(houses) as office:
        password = await office.hear("I forgot my password")
        vpn = await office.hear("my VPN does not connect", "809")
        person = await office.hear("I want to report a problem", "The printer on the third floor is jammed")

    assert "Forgotten password" in password["content"]
    assert "hotspot" in vpn["content"]
    assert person["metadata"]["mode"] == "human"


async def test_who_asks_how_things_stand_gets_the_state_of_the_ticket(houses):
    async with an_office(houses) as office:
        await office.hear("I need a software licence", "text editor", WHY, "yes")
        mine = await office.hear("my tickets")
        one = await office.hear("what is the status of req0010001?")

    assert "- REQ0010001: Software licence, Open" in mine["content"]
    assert one["content"].startswith("REQ0010001, Software licence: Open")
