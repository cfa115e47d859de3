"""One running system, as `make up` starts it, for the examples."""

import pytest

from tests.cli.command import serving


@pytest.fixture(scope="package")
def system(tmp_path_factory):
    """The address of everything in one process."""
    with serving("up", home=tmp_path_factory.mktemp("docs")) as url:
        yield url
