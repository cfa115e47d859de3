"""Tool calls of one turn: reads go straight through, writes happen once for each decision, whatever crashes."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Protocol

from self_service_agent.agent_service.definitions.models import Tool
from self_service_agent.agent_service.flows.tools import ToolError, ToolInDoubt, ToolRefused, ToolUnavailable
from self_service_agent.kit import metrics
from self_service_agent.kit.database import Pool

from . import repository
from .repository import CallState, Intent


class ToolCaller(Protocol):
    """Reaches the tools."""

    async def check(self, tool: str, arguments: dict[str, Any], *, within: timedelta) -> None:
        """Raise what `call` would raise already before anything is sent; nothing happens."""
        ...

    async def call(
        self,
        tool: str,
        arguments: dict[str, Any],
        *,
        subject: str,
        timeout: timedelta,  # noqa: ASYNC109  # travels with the call, whose end by it means something else
    ) -> dict[str, Any]:
        """Return the tool's answer for the person `subject`, or raise a `ToolError`."""
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
            return await self._read(tool, arguments, declared)
        known = await repository.known(self._pool, key)
        if known.result is None:
            await self._check(tool, arguments, declared, is_open=known.is_open)
            known = await repository.intend(self._pool, self._intent(tool, arguments, key))
        if known.state is CallState.CONFIRMED and known.result is not None:
            return known.result
        if known.is_open and (found := await self._reconciled(declared, key)) is not None:
            await repository.settle(self._pool, key, CallState.CONFIRMED, result=found)
            return found
        return await self._write(tool, arguments, key)

    async def _read(self, tool: str, arguments: dict[str, Any], declared: Tool) -> dict[str, Any]:
        try:
            return await self._measured(tool, arguments, _timeout_of(declared))
        except ToolInDoubt as error:  # a look that brought nothing can simply be taken again
            raise ToolUnavailable(str(error)) from error

    async def _check(self, tool: str, arguments: dict[str, Any], declared: Tool, *, is_open: bool) -> None:
        """Find out what can be known before an intent is noted; an open call stays open whatever is wrong now."""
        try:
            await self._caller.check(tool, arguments, within=_timeout_of(declared))
        except ToolError as error:
            if is_open:
                raise ToolInDoubt(f"an earlier attempt may have got through, and now: {error}") from error
            raise

    async def _write(self, tool: str, arguments: dict[str, Any], key: str) -> dict[str, Any]:
        try:
            result = await self._ask(tool, arguments, self._tool_of(tool))
        except (ToolError, TimeoutError) as error:
            if not await repository.settle(self._pool, key, _state_after(error), error=str(error)):
                known = await repository.known(self._pool, key)  # another worker has confirmed it meanwhile
                if known.result is not None:
                    return known.result
            raise
        await repository.settle(self._pool, key, CallState.CONFIRMED, result=result)
        return result

    async def _reconciled(self, declared: Tool, key: str) -> dict[str, Any] | None:
        """Ask the target whether an earlier attempt got through; without such a tool a person has to look."""
        if declared.reconcile is None or declared.key_argument is None:
            raise ToolInDoubt("an earlier attempt may have got through, and there is no tool to find out")
        try:
            found = await self._measured(declared.reconcile, {declared.key_argument: key}, _timeout_of(declared))
        except (ToolError, TimeoutError) as error:
            raise ToolInDoubt(f"an earlier attempt may have got through, and nobody can be asked: {error}") from error
        is_found = not _missing(found, declared) and any(value is not None for value in found.values())
        return found if is_found else None

    async def _ask(self, tool: str, arguments: dict[str, Any], declared: Tool) -> dict[str, Any]:
        answer = await self._measured(tool, arguments, _timeout_of(declared))
        if missing := _missing(answer, declared):
            raise ToolInDoubt(f"{tool} answered without {' and '.join(missing)}")
        return answer

    async def _measured(
        self, tool: str, arguments: dict[str, Any], timeout: timedelta  # noqa: ASYNC109  # travels on
    ) -> dict[str, Any]:  # fmt: skip
        started, outcome = time.perf_counter(), "in_doubt"
        try:
            answer = await self._caller.call(tool, arguments, subject=self._subject, timeout=timeout)
            outcome = "succeeded"
        except ToolUnavailable:
            outcome = "unavailable"
            raise
        except ToolRefused:
            outcome = "refused"
            raise
        finally:
            metrics.TOOL_CALLS[tool, outcome].inc()
            metrics.TOOL_SECONDS[tool].observe(time.perf_counter() - started)
        return answer

    def _intent(self, tool: str, arguments: dict[str, Any], key: str) -> Intent:
        return Intent(
            key=key,
            session_id=self._session_id,
            request_id=self._request_id,
            user_id=self._user_id,
            tool=tool,
            arguments=arguments,
        )


def _timeout_of(declared: Tool) -> timedelta:
    return timedelta(seconds=declared.timeout_seconds)


def _missing(answer: dict[str, Any], declared: Tool) -> list[str]:
    return [name for name in declared.requires if answer.get(name) is None]


def _state_after(error: Exception) -> CallState:
    match error:
        case ToolRefused():
            return CallState.REFUSED
        case ToolUnavailable():
            return CallState.UNSENT
        case _:
            return CallState.IN_DOUBT
