"""Tool calls of one turn: reads go straight through, writes happen once for each decision, whatever crashes."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Protocol

from self_service_agent.agent_service.definitions.models import Tool
from self_service_agent.agent_service.flows.tools import ToolInDoubt, ToolRefused, ToolUnavailable
from self_service_agent.kit.database import Pool

from . import repository
from .repository import CallState, Intent

_CALL_TIMEOUT = timedelta(seconds=30)


class ToolCaller(Protocol):
    """Reaches the tools, on behalf of the person `subject`."""

    async def call(
        self,
        tool: str,
        arguments: dict[str, Any],
        *,
        subject: str,
        timeout: timedelta,  # noqa: ASYNC109  # travels with the call, whose end by it means something else
    ) -> dict[str, Any]:
        """Return the tool's answer, or raise `ToolUnavailable`, `ToolRefused` or `ToolInDoubt`."""
        ...


class LedgeredTools:
    """The tools as one turn uses them."""

    def __init__(  # noqa: PLR0913  # everything a call is recorded with
        self,
        pool: Pool,
        caller: ToolCaller,
        *,
        tool_of: Callable[[str], Tool],
        session_id: str,
        request_id: str,
        user_id: str,
        subject: str,
    ) -> None:
        self._pool = pool
        self._caller = caller
        self._tool_of = tool_of
        self._session_id = session_id
        self._request_id = request_id
        self._user_id = user_id
        self._subject = subject

    async def call(self, tool: str, arguments: dict[str, Any], *, key: str) -> dict[str, Any]:
        """Return the tool's answer; a call that was confirmed under this key before is not made again."""
        declared = self._tool_of(tool)
        if declared.effect == "read":
            return await self._ask(tool, arguments)
        recorded = await repository.intend(self._pool, self._intent(tool, arguments, key))
        if recorded.state is CallState.CONFIRMED and recorded.result is not None:
            return recorded.result
        if recorded.state in {CallState.INTENDED, CallState.IN_DOUBT}:
            found = await self._reconcile(declared, key)
            if found is not None:
                await repository.settle(self._pool, key, CallState.CONFIRMED, result=found)
                return found
        return await self._write(tool, arguments, key)

    async def _write(self, tool: str, arguments: dict[str, Any], key: str) -> dict[str, Any]:
        try:
            result = await self._ask(tool, arguments)
        except ToolRefused as error:
            await repository.settle(self._pool, key, CallState.REFUSED, error=str(error))
            raise
        except (ToolInDoubt, TimeoutError) as error:
            await repository.settle(self._pool, key, CallState.IN_DOUBT, error=str(error))
            raise
        except ToolUnavailable as error:
            await repository.settle(self._pool, key, CallState.INTENDED, error=str(error))
            raise
        await repository.settle(self._pool, key, CallState.CONFIRMED, result=result)
        return result

    async def _reconcile(self, declared: Tool, key: str) -> dict[str, Any] | None:
        """Ask the target whether an earlier attempt got through; without such a tool a person has to look."""
        if declared.reconcile is None:
            raise ToolInDoubt("an earlier attempt may have got through, and there is no tool to find out")
        found = await self._ask(declared.reconcile, {declared.key_argument or "idempotency_key": key})
        complete = all(found.get(name) is not None for name in declared.requires)
        return found if complete and any(value is not None for value in found.values()) else None

    async def _ask(self, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
        return await self._caller.call(tool, arguments, subject=self._subject, timeout=_CALL_TIMEOUT)

    def _intent(self, tool: str, arguments: dict[str, Any], key: str) -> Intent:
        return Intent(
            key=key,
            session_id=self._session_id,
            request_id=self._request_id,
            user_id=self._user_id,
            tool=tool,
            arguments=arguments,
        )
