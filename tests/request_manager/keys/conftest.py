import pytest

from tests.request_manager.keys.house import open_house


@pytest.fixture
async def house(pool):
    """Yield the parts that serve keys, open."""
    async with open_house(pool) as opened:
        yield opened
