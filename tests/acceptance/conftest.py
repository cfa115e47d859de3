"""Houses for acceptance tests: one for each test, or one of a test's own choosing."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from self_service_agent.kit.database import Address
from tests.acceptance.house import Choices, House, open_house

OpenHouse = Callable[..., Awaitable[House]]


@pytest.fixture
async def houses(database: Address, tmp_path: Path) -> AsyncIterator[OpenHouse]:
    """Yield what opens a house, or several, on this test's database."""
    async with AsyncExitStack() as stack:

        async def opened(**choices: Any) -> House:
            return await stack.enter_async_context(open_house(database, tmp_path, Choices(**choices)))

        yield opened


@pytest.fixture
async def house(houses: OpenHouse) -> House:
    """Return the usual house."""
    return await houses()
