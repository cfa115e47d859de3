"""Agents over HTTP: listed for everybody, read again for staff, and never changed under a conversation."""

import asyncio
import os
import shutil
import signal

import pytest

from tests.acceptance.house import as_person, eventually
from tests.acceptance.itsm import AGENTS, an_office


@pytest.fixture
def folder(tmp_path):
    """A folder of agents that can be changed."""
    return shutil.copytree(AGENTS, tmp_path / "agents")


def change(folder, old, new, *, name="email-change-agent.yaml"):
    path = folder / name
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


async def reload(office, *, user="web-admin"):
    return await office.house.client.post("/api/v1/agents/reload", headers=as_person(user))


async def test_everybody_sees_the_agents(houses):
    async with an_office(houses) as office:
        listed = (await office.house.get("/api/v1/agents")).json()["agents"]
        laptop = (await office.house.get("/api/v1/agents/laptop-refresh-agent")).json()
        unknown = await office.house.get("/api/v1/agents/nobody")
        stranger = await office.house.client.get("/api/v1/agents")

    assert {agent["id"] for agent in listed} == {path.stem for path in AGENTS.glob("*.yaml")}
    assert [agent["id"] for agent in listed if agent["is_default"]] == ["routing-agent"]
    assert laptop["flows"][0]["title"] == "request a new laptop"
    assert {"id": "order", "kind": "call", "ways_on": ["done"]} in laptop["flows"][0]["steps"]
    assert (unknown.status_code, stranger.status_code) == (404, 401)


async def test_newer_definitions_answer_new_conversations_and_leave_those_in_progress_alone(houses, folder):
    async with an_office(houses, folder) as office:
        await office.hear("change my email")
        change(folder, "What shall it be instead?", "Which one do you want?")
        change(folder, "Why does it have to change?", "And why?")
        reloaded = await reload(office)
        going_on = await office.hear("alice.smith@company.com")
        started = await office.hear("change my email", user="brian.cole")
        tools = await office.hear("because I married", "yes")

    assert reloaded.json()["changed"] == ["email-change-agent"]
    assert "Why does it have to change?" in going_on["content"]
    assert "Which one do you want?" in started["content"]
    assert "REQ0010001" in tools["content"]
    old, new = (each["metadata"]["definition"]["digest"] for each in (going_on, started))
    assert old != new


async def test_an_interrupted_flow_also_goes_on_as_it_began(houses, folder):
    async with an_office(houses, folder) as office:
        await office.hear("I need a new laptop", "I need to change my e-mail address")
        change(folder, "Which one do you want?", "Which model?", name="laptop-refresh-agent.yaml")
        change(folder, "What shall it be instead?", "Which one?")
        await reload(office)
        resumed = await office.hear("cancel")

    assert "Which one do you want?" in resumed["content"]


async def test_a_wrong_definition_is_refused_as_a_whole(houses, folder):
    async with an_office(houses, folder) as office:
        change(folder, "What shall it be instead?", "Which one do you want?")
        change(folder, "tool: get_my_profile", "tool: get_everybody", name="access-request-agent.yaml")
        refused = await reload(office)
        health = (await office.house.client.get("/health/detailed")).json()
        answer = await office.hear("change my email")

    problem = "access-request-agent.yaml: flows.request_access.steps.look_up.unknown tool get_everybody"
    assert (refused.status_code, refused.json()["details"]) == (409, [problem])
    assert health["agents"]["refused"]["problems"] == [problem]
    assert health["agents"]["digests"].keys() == {path.stem for path in AGENTS.glob("*.yaml")}
    assert "What shall it be instead?" in answer["content"]


async def test_only_staff_reloads(houses):
    async with an_office(houses) as office:
        assert (await reload(office, user="alice.johnson")).status_code == 403


@pytest.mark.parametrize("by", ["signal", "folder"])
async def test_definitions_are_read_again_after_a_signal_or_a_change(houses, folder, by):
    async with an_office(houses, folder, agents_watch=by == "folder") as office:
        change(folder, "What shall it be instead?", "Which one do you want?")

        async def is_new():
            if by == "signal":
                os.kill(os.getpid(), signal.SIGHUP)
            await asyncio.sleep(0.05)  # the folder is watched from outside the event loop
            agent = (await office.house.get("/api/v1/agents/email-change-agent")).json()
            return agent["digest"] != before

        before = (await office.house.get("/health/detailed")).json()["agents"]["digests"]["email-change-agent"]
        await eventually(is_new, within=20)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("name: Büro\n".encode("latin-1"), id="Latin-1"),
        pytest.param(b"[" * 5000, id="nested"),
    ],
)
async def test_a_file_that_cannot_be_read_changes_nothing(houses, folder, content):
    async with an_office(houses, folder, agents_watch=True) as office:
        (folder / "odd.yaml").write_bytes(content)

        async def is_refused():
            (folder / "odd.yaml").write_bytes(content)
            await asyncio.sleep(0.05)
            return (await office.house.client.get("/health/detailed")).json()["agents"]["refused"]

        await eventually(is_refused, within=20)
        answer = await office.hear("change my email")
        change(folder, "What shall it be instead?", "Which one do you want?")
        (folder / "odd.yaml").unlink()

        async def is_new():
            await asyncio.sleep(0.05)
            return (await office.house.client.get("/health/detailed")).json()["agents"]["refused"] is None

        await eventually(is_new, within=20)

    assert "What shall it be instead?" in answer["content"]
