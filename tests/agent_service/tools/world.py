"""A target that does not recognise keys by itself, so that nothing but the ledger keeps a call from happening twice."""

from dataclasses import dataclass, field
from typing import Any

from self_service_agent.agent_service.definitions.models import Tool
from self_service_agent.agent_service.flows.tools import ToolInDoubt, ToolRefused, ToolUnavailable
from self_service_agent.agent_service.tools.ledger import LedgeredTools
from self_service_agent.kit.database import Pool
from tests.agent_service.sessions.builders import a_person, ask

ORDER = Tool(effect="write", reconcile="find", key_argument="key", requires=("number",))
BLIND = Tool(effect="write", requires=("number",))
LOOK = Tool(effect="read")
FAULTS = ("none", "lost", "too late", "5xx", "half", "down", "refused", "killed before", "killed after", "bad form")
ACTS = frozenset({"none", "lost", "5xx", "half", "killed after"})


class Killed(BaseException):
    """The process is no more."""


@dataclass
class Target:
    """Acts, or not, and answers as its script says; `effects` is what really happened."""

    faults: list[str] = field(default_factory=list)
    reconciles: bool = True
    effects: list[str] = field(default_factory=list)
    calls: int = 0

    async def check(self, tool: str, arguments: dict[str, Any], *, within: Any) -> None:
        if self.faults and self.faults[0] == "bad form":
            self.faults.pop(0)
            raise ToolRefused("bad form")

    async def call(
        self, tool: str, arguments: dict[str, Any], *, subject: str, timeout: Any  # noqa: ASYNC109  # the protocol's
    ) -> dict[str, Any]:  # fmt: skip
        if tool == "find":
            return self._find(arguments["key"])
        self.calls += 1
        fault = self.faults.pop(0) if self.faults else "none"
        if fault in ACTS:
            self.effects.append(arguments["key"])
        return self._answer(fault)

    def _find(self, key: str) -> dict[str, Any]:
        if not self.reconciles:
            raise ToolUnavailable("nobody there")
        return {"number": "REQ1" if key in self.effects else None}

    @staticmethod
    def _answer(fault: str) -> dict[str, Any]:
        match fault:
            case "none":
                return {"number": "REQ1"}
            case "half":
                return {"cart": "7"}
            case "too late" | "lost":
                raise TimeoutError if fault == "too late" else ToolInDoubt("cut")
            case "5xx":
                raise ToolInDoubt("http 500")
            case "down":
                raise ToolUnavailable("down")
            case "refused":
                raise ToolRefused("no")
            case _:
                raise Killed


async def a_ledger(pool: Pool, target: Target, tool: Tool = ORDER) -> LedgeredTools:
    """Return the tools of one turn of a stored session."""
    user_id = await a_person(pool)
    stored = await ask(pool, user_id)
    return LedgeredTools(
        pool,
        target,
        tool_of={"order": tool, "look": LOOK}.__getitem__,
        session_id=stored.session_id,
        request_id=stored.request_id,
        user_id=user_id,
        subject="alice@company.com",
    )


async def outcome_of(ledger: LedgeredTools, key: str = "k1", tool: str = "order") -> str:
    """Call once and return how it went, as the person would hear it."""
    try:
        answer = await ledger.call(tool, {"key": key}, key=key)
    except Killed:
        return "killed"
    except ToolUnavailable:
        return "unavailable"
    except ToolRefused:
        return "refused"
    except (ToolInDoubt, TimeoutError):
        return "in doubt"
    return str(answer.get("number"))
