"""One running system, as everybody starts it, for the examples."""

import pytest

from tests.cli.command import serving

from .running import ENVIRONMENT


@pytest.fixture(scope="package")
def system(tmp_path_factory):
    """The address of everything in one process."""
    with serving("up", home=tmp_path_factory.mktemp("seeds"), **ENVIRONMENT) as url:
        yield url
