"""One running system for all tests of the command."""

import pytest

from .command import serving


@pytest.fixture(scope="session")
def house(tmp_path_factory):
    """The home of the system that `system` runs."""
    return tmp_path_factory.mktemp("house")


@pytest.fixture(scope="session")
def system(house):
    """The address of a system that runs: everything in one process."""
    with serving("up", home=house) as url:
        yield url
