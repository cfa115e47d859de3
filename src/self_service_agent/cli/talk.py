"""Conversations in a terminal: `ssa chat`, and `ssa ask` for a single question."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass

from rich.console import Console

from self_service_agent.shared_clients.errors import ClientError, StillWorking, Unreachable
from self_service_agent.shared_clients.protocol import (
    Answer,
    Final,
    Later,
    StatusChanged,
    StreamEvent,
    Token,
    ToolProgress,
)
from self_service_agent.shared_clients.request_manager import RequestManagerClient
from self_service_agent.shared_models.requests import RequestStatus

from .news import News
from .starting import fail

_FAREWELLS = frozenset({"quit", "exit", "q"})
_FIRST_WORDS = (
    "Type your question; [bold]quit[/] ends, [bold]reset[/] starts over, [bold]help[/] helps, "
    "an empty line shows what came meanwhile."
)


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who asks, and where."""

    url: str
    user: str
    key: str

    def client(self) -> RequestManagerClient:
        return RequestManagerClient(self.url, self.user, self.key)

    def complaint(self, error: ClientError) -> str:
        """Return what a person can do about an error."""
        if isinstance(error, Unreachable):
            return f"nobody answers at {self.url} ({error}). Start it with `ssa up`, or name another --url."
        return f"{self.url} says: {error}"


def as_text(answer: Answer) -> str:
    return answer.response.content


def as_json(answer: Answer) -> str:
    return answer.model_dump_json(indent=2)


def ask(caller: Caller, text: str, *, show: Callable[[Answer], str]) -> None:
    """Print the answer to one question; end with 1 if there is none."""

    async def answer() -> Answer:
        async with caller.client() as client:
            return await client.send_request(text, "CLI", "cli")

    try:
        answered = asyncio.run(answer())
    except ClientError as error:
        fail(caller.complaint(error))
    sys.stdout.write(f"{show(answered)}\n")
    if answered.status is RequestStatus.FAILED:
        fail("the request failed")


def chat(caller: Caller) -> None:
    """Talk until the person says goodbye: with a terminal as it comes, else line by line in plain text."""
    talk = _talk_at_terminal if sys.stdin.isatty() and sys.stdout.isatty() else _talk_in_lines
    with asyncio.Runner() as runner:
        client = caller.client()
        try:
            talk(client, runner)
        except ClientError as error:
            fail(caller.complaint(error))
        finally:
            runner.run(client.close())


def _talk_in_lines(client: RequestManagerClient, runner: asyncio.Runner) -> None:
    news = News(client)
    for said in _until_farewell(sys.stdin):
        for told in runner.run(news.untold()):
            sys.stdout.write(f"{told}\n\n")
        if said:
            answer = runner.run(client.send_request(said, "CLI", "cli"))
            runner.run(news.after(answer))
            sys.stdout.write(f"{answer.response.content}\n\n")
        sys.stdout.flush()


def _talk_at_terminal(client: RequestManagerClient, runner: asyncio.Runner) -> None:
    console = Console(highlight=False)
    console.print(_FIRST_WORDS, style="dim")
    prompt = _Prompt(console)
    news = News(client)
    for said in _until_farewell(prompt):
        for told in runner.run(news.untold()):
            console.print(told, end="\n\n", markup=False, soft_wrap=True)
            prompt.hint = ""
        if not said:
            continue
        answer = runner.run(show_turn(console, client.stream(said, "CLI", "cli")))
        runner.run(news.after(answer))
        prompt.hint = hint_of(answer)
        console.print()


async def show_turn(console: Console, events: AsyncIterator[StreamEvent]) -> Answer:
    """Print an answer as it comes and return it, or raise `StillWorking`."""
    is_begun = False
    async for event in events:
        match event:
            case StatusChanged() | ToolProgress(state="finished"):
                pass
            case ToolProgress(label=label, state=state):
                said = f"{label}…" if state == "started" else f"{label}: this did not work"
                console.print(said, style="dim", markup=False)
            case Token(text=text):
                is_begun = True
                console.print(text, end="", markup=False, soft_wrap=True)
            case Final(answer=answer):
                # A request taken up again after a lost connection has no pieces.
                console.print("" if is_begun else answer.response.content, markup=False, soft_wrap=True)
                return answer
            case Later(accepted=accepted):
                raise StillWorking(accepted)
    raise Unreachable("the stream ended before the answer")


def hint_of(answer: Answer) -> str:
    """Return the choices in a few characters."""
    choices = answer.response.metadata.get("choices") or []
    match answer.response.metadata.get("expects"):
        case "choice":
            return f"1-{len(choices)}"
        case "confirmation":
            return "/".join(choice["id"] for choice in choices)
        case _:
            return ""


class _Prompt:
    """What a person types, line by line, until they close the terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.hint = ""

    def __iter__(self) -> Iterator[str]:
        while True:
            hint = f" \\[{self.hint}]" if self.hint else ""
            try:
                yield self._console.input(f"[bold cyan]you{hint} >[/] ")
            except (EOFError, KeyboardInterrupt):
                self._console.print()
                return


def _until_farewell(lines: Iterable[str]) -> Iterator[str]:
    """Yield each line without the space around it, which may leave nothing."""
    for line in lines:
        said = line.strip()
        if said.lower() in _FAREWELLS:
            return
        yield said
