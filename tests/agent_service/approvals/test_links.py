"""Approvers get a mail with a link of their own, and decide by it: one person, one approval, for a short time."""

import html
import re
from datetime import timedelta
from http import HTTPStatus

import httpx2
import pytest
from pydantic import SecretStr

from self_service_agent.cli.development import email_to_mailbox, mailbox
from self_service_agent.integration_dispatcher.app import integration_dispatcher
from self_service_agent.kit import clock
from self_service_agent.kit.http.egress import EgressPolicy
from self_service_agent.shared_models.approval_links import PLACEHOLDER, ApprovalLinks, LinkBearer
from self_service_agent.shared_models.users import user_id_of
from tests.acceptance.house import eventually

from .house import ASKING, BOSS, Tools, ask_for_exception, choices, decide, followed_up, hear, to_decide

SECRET, OTHER_SECRET = SecretStr("a secret that nobody guesses, long enough"), SecretStr("another secret, " * 3)
LINKS = ApprovalLinks(SECRET, base_url="https://help.example.com")
_LINK = re.compile(r"https://help\.example\.com(/approvals/\S+)")


@pytest.fixture
def tools():
    return Tools()


@pytest.fixture
async def house(houses, tools):
    dispatcher = integration_dispatcher(policy=EgressPolicy(allow_loopback=True), email=email_to_mailbox, links=LINKS)
    opened = await houses(**choices(tools), links=LINKS, more=(mailbox(), dispatcher))
    await opened.get("/api/v1/approvals", user=BOSS)  # has been here before, by login and address
    return opened


async def mails(house, to, count=1):
    async def arrived():
        listed = (await house.client.get("/dev/mailbox")).json()
        found = [mail for mail in listed if to in mail["to"]]
        return found if len(found) >= count else None

    return await eventually(arrived)


async def link_for(house, person=f"{BOSS}@company.com"):
    (mail,) = await mails(house, person)
    return _LINK.search(mail["text"])[1]


def a_token(approval, user_id, *, links=LINKS, hours=1):
    bearer = LinkBearer(approval_id=approval["approval_id"], user_id=user_id)
    return links.link(bearer, until=clock.now() + timedelta(hours=hours)).partition(".com")[2]


async def press(house, link, button="granted", **headers):
    return await house.client.post(
        link,
        content=f"decision={button}&comment=Fine+%3Cb%3E",
        headers={"content-type": "application/x-www-form-urlencoded", **headers},
    )


async def test_the_mail_says_what_is_asked_and_until_when(house):
    approval = await ask_for_exception(house)

    (mail,) = await mails(house, f"{BOSS}@company.com")

    assert mail["subject"] == "Approval wanted by alice.johnson@company.com"
    assert approval["summary"] in " ".join(mail["text"].split())
    assert "Please decide by" in mail["text"]
    assert PLACEHOLDER not in mail["text"]


async def test_who_asks_cannot_forge_the_message_by_what_they_write(house):
    forged = (
        "It is broken”.\n\nTo see it and decide:\nhttps://evil.example.com/approvals/x\n[[approval-link]]\n"
        + "x" * 3000
    )
    await hear(house, *ASKING[:2], forged)

    (mail,) = await mails(house, f"{BOSS}@company.com")
    text = mail["text"].split("-- \n")[0]
    link = _LINK.search(text)
    page = (await house.client.get(link[1])).text

    assert text.index(link[0]) < text.index("evil")
    assert len(_LINK.findall(text)) == 1
    (said,) = [line for line in text.splitlines() if "evil" in line]
    assert said.startswith("> early replacement of ")
    assert "Reason: “It is broken'. To see it and decide: https://evil" in said
    assert said.endswith("…”")
    assert len(said) < 1000
    assert "what stands in quotation marks was written by alice.johnson@company.com:" in text
    (shown,) = [line for line in page.splitlines() if "evil" in line]
    assert html.unescape(shown) == f"<blockquote>{said[2:]}</blockquote>"


async def test_the_one_who_asks_is_sent_no_link(house):
    await ask_for_exception(house)
    await mails(house, f"{BOSS}@company.com")

    told = await house.rows("SELECT DISTINCT user_id FROM delivery_logs")

    assert user_id_of("alice.johnson") not in {row["user_id"] for row in told}


async def test_no_link_is_kept_anywhere(house):
    await ask_for_exception(house)
    token = (await link_for(house)).rpartition("/")[2]

    kept = await house.rows("SELECT content || integration_metadata::text AS text FROM delivery_logs")

    assert all(token not in row["text"] for row in kept)
    assert any(PLACEHOLDER in row["text"] for row in kept)


async def test_following_the_link_changes_nothing(house):
    approval = await ask_for_exception(house)
    link = await link_for(house)

    pages = [await house.client.get(link) for _ in range(3)]
    asked = await house.client.head(link)

    assert {page.status_code for page in pages} == {HTTPStatus.OK}
    assert asked.status_code in {HTTPStatus.OK, HTTPStatus.METHOD_NOT_ALLOWED}
    assert "The screen is cracked" in pages[0].text
    assert "script" not in pages[0].text
    assert "default-src 'none'" in pages[0].headers["content-security-policy"]
    assert pages[0].headers["cache-control"] == "no-store"
    assert [each["state"] for each in await to_decide(house)] == ["pending"]
    assert approval["state"] == "pending"


async def test_a_button_decides_once_and_the_conversation_goes_on(house, tools):
    approval = await ask_for_exception(house)
    link = await link_for(house)

    pressed, again = await press(house, link), await press(house, link)
    other = await press(house, link, "denied")
    seen = await house.client.get(link)
    (told,) = await followed_up(house)
    await hear(house, "1", "yes")

    assert [each.status_code for each in (pressed, again, other, seen)] == [200, 200, 409, 200]
    assert "granted by john.doe@company.com" in seen.text
    assert "Fine <b>" in told["content"]
    assert len(tools.orders) == 1
    stored = (await house.get(f"/api/v1/approvals/{approval['approval_id']}", user=BOSS)).json()
    assert (stored["channel"], stored["state"]) == ("link", "granted")


async def test_a_link_of_somebody_who_may_not_decide_is_no_use(house):
    approval = await ask_for_exception(house)
    await house.get("/api/v1/approvals", user="person-7")

    stranger = await press(house, a_token(approval, user_id_of("person-7")))
    requester = await press(house, a_token(approval, user_id_of("alice.johnson")))

    assert (stranger.status_code, requester.status_code) == (404, 403)
    assert [each["state"] for each in await to_decide(house)] == ["pending"]


@pytest.mark.parametrize(
    ("spoil", "status"),
    [
        pytest.param(lambda link: link[:-1], 404, id="cut off"),
        pytest.param(lambda link: link[:-2] + ("AA" if link[-2:] != "AA" else "BB"), 404, id="another signature"),
        pytest.param(lambda link: link.replace("/approvals/", "/approvals/A", 1), 404, id="longer"),
        pytest.param(lambda _: "/approvals/%00", 404, id="a null byte"),
        pytest.param(lambda _: "/approvals/" + "A" * 10_000, 404, id="very long"),
        pytest.param(lambda _: "/approvals/é", 404, id="not even text of ours"),
    ],
)
async def test_a_forged_link_is_no_link(house, spoil, status):
    await ask_for_exception(house)
    link = spoil(await link_for(house))

    seen, pressed = await house.client.get(link), await press(house, link)

    assert (seen.status_code, pressed.status_code) == (status, status)
    assert [each["state"] for each in await to_decide(house)] == ["pending"]


async def test_a_link_signed_with_another_secret_or_after_its_time_is_no_use(house):
    approval = await ask_for_exception(house)
    boss = user_id_of(BOSS)
    foreign = ApprovalLinks(OTHER_SECRET, base_url="https://help.example.com")

    forged = await press(house, a_token(approval, boss, links=foreign))
    late = await press(house, a_token(approval, boss, hours=-1))

    assert (forged.status_code, late.status_code) == (404, 410)
    assert [each["state"] for each in await to_decide(house)] == ["pending"]


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_a_page_of_another_site_decides_nothing(house, site):
    await ask_for_exception(house)

    pressed = await press(house, await link_for(house), **{"sec-fetch-site": site})

    assert pressed.status_code == 403
    assert [each["state"] for each in await to_decide(house)] == ["pending"]


@pytest.mark.parametrize("body", [b"", b"decision=maybe", b"decision=cancelled", b"\xff\xfe", b"x=1" * 40_000])
async def test_a_form_that_is_none_of_ours_decides_nothing(house, body):
    await ask_for_exception(house)

    answer = await house.client.post(await link_for(house), content=body)

    assert answer.status_code == 422
    assert [each["state"] for each in await to_decide(house)] == ["pending"]


async def test_an_answer_comes_by_mail_when_nobody_waits(house):
    approval = await ask_for_exception(house)

    await decide(house, approval["approval_id"], granted=False, comment="Not this year.")
    (mail,) = await mails(house, "alice.johnson@company.com")

    assert "Your request was declined." in mail["text"]
    assert "Not this year." in mail["text"]


def test_a_secret_that_is_rotated_out_still_reads():
    bearer = LinkBearer(approval_id=user_id_of("a"), user_id=user_id_of("b"))
    link = LINKS.link(bearer, until=clock.now() + timedelta(minutes=1))
    rotated = ApprovalLinks(OTHER_SECRET, base_url=None, previous=SECRET)

    assert rotated.read(link.rpartition("/")[2], now=clock.now()) == bearer
    assert rotated.link(bearer, until=clock.now()) is None
    assert httpx2.URL(link).path.startswith("/approvals/")
