"""What is printed for calling the system works when it is called so."""

import re
import shlex
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest

from self_service_agent.doubles.receiver import Receiver
from tests.docs.pages import GUIDES, ROOT, blocks, commands, rows

_SYSTEM, _RECEIVER = "http://localhost:8080", "http://localhost:9000"
_SSA = Path(sys.executable).with_name("ssa")
_ENDPOINT = re.compile(r"`(GET|POST|PUT|PATCH|DELETE) (/[^`?\s]+)`")


@dataclass
class Call:
    """A curl command."""

    url: str = ""
    method: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: str | None = None

    @classmethod
    def parse(cls, command: str) -> "Call":
        call, words = cls(), iter(shlex.split(command)[1:])
        for word in words:
            match word:
                case "-H":
                    name, _, value = next(words).partition(": ")
                    call.headers[name] = value
                case "-d":
                    call.body = next(words)
                case "-X":
                    call.method = next(words)
                case "-s" | "-sN" | "-i":
                    pass
                case _:
                    call.url = word
        return call

    def send(self, http: httpx2.Client) -> httpx2.Response:
        return http.request(
            self.method or ("POST" if self.body else "GET"), self.url, headers=self.headers, content=self.body
        )


@pytest.mark.parametrize("page", [ROOT / "README.md", GUIDES / "first-steps.md"], ids=lambda page: page.name)
async def test_every_curl_command_of_the_page_succeeds(page, system):
    printed = [command for command in commands(page) if command.startswith("curl ")]
    known = {_SYSTEM: system, "REQUEST_ID": ""}
    async with Receiver.open() as receiver:
        known[_RECEIVER] = receiver.url
        with httpx2.Client(timeout=30) as http:
            for command in printed:
                response = Call.parse(_filled(command, known)).send(http)
                assert response.is_success, (command, response.text)
                if response.status_code == httpx2.codes.ACCEPTED:
                    known["REQUEST_ID"] = response.json()["request_id"]
        (delivered,) = await receiver.wait_for(1)

    assert printed
    assert b"delivery_id" in delivered.body


def test_every_example_in_python_prints_an_answer(system):
    (example,) = blocks(ROOT / "README.md", "python")

    done = _run(sys.executable, "-c", example.text.replace(_SYSTEM, system))

    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.strip()


def test_every_question_in_a_terminal_is_answered(system):
    asked = [command for command in commands(ROOT / "README.md") if command.startswith(".venv/bin/ssa ask")]

    for command in asked:
        done = _run(_SSA, *shlex.split(command)[1:], "--url", system)
        assert (done.returncode, done.stderr) == (0, b"")
    assert asked


def test_the_api_guide_names_every_endpoint_and_no_other(system):
    document = httpx2.get(f"{system}/openapi.json").json()

    served = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    named = set(_ENDPOINT.findall((GUIDES / "api.md").read_text("utf-8")))

    assert named == served


@pytest.mark.parametrize("name", ["api.md", "operations.md", "security.md"])
def test_every_path_that_a_guide_calls_is_served(name, system):
    document = httpx2.get(f"{system}/openapi.json").json()
    patterns = [re.compile(re.sub(r"\{\w+\}", "[^/]+", path)) for path in document["paths"]]

    called = [httpx2.URL(Call.parse(line).url).path for line in commands(GUIDES / name) if line.startswith("curl ")]

    assert [path for path in called if not any(pattern.fullmatch(path) for pattern in patterns)] == []


def test_the_api_guide_names_every_field_of_a_request(system):
    schemas = httpx2.get(f"{system}/openapi.json").json()["components"]["schemas"]
    named = {
        name for cells in rows((GUIDES / "api.md").read_text("utf-8")) for name in re.findall(r"`(\w+)`", cells[0])
    }

    kinds = ("BaseRequest", "WebRequest", "CLIRequest", "ToolRequest", "SlackRequest")

    assert {name for kind in kinds for name in schemas[kind]["properties"]} <= named


def _run(*command: str | Path) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(command, capture_output=True, check=False)  # noqa: S603  # what our own documents print


def _filled(command: str, known: dict[str, str]) -> str:
    for placeholder, value in known.items():
        command = command.replace(placeholder, value)
    return command
