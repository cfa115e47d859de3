"""The whole product behaves as its OpenAPI document says: nothing that is sent makes it fail."""

import asyncio
import contextlib
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

from self_service_agent.kit.database import ensure_database
from self_service_agent.kit.ids import new_id

_SSA = Path(sys.executable).with_name("ssa")
_WAIT = 10
_BOUNDED = settings(
    max_examples=20,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def product(migrated, tmp_path_factory):
    """Yield the OpenAPI document of everything in one process, which ends with success."""
    database = f"openapi_{new_id()}"
    asyncio.run(ensure_database(replace(migrated, database=database)))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SSA_HOME", str(tmp_path_factory.mktemp("product")))
        environment.setenv("POSTGRES_HOST", migrated.host)
        environment.setenv("POSTGRES_DB", database)
        environment.setenv("AGENT_TIMEOUT", "5")
        environment.setenv("LOG_LEVEL", "error")
        process = subprocess.Popen([_SSA, "up", "--port", "0"], stdout=subprocess.PIPE, text=True)  # noqa: S603  # our own command
    with process:
        assert process.stdout is not None
        url = process.stdout.readline().removeprefix("ready ").strip()
        yield schemathesis.openapi.from_url(f"{url}/openapi.json")
        process.terminate()
    assert process.returncode == 0


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"authorization": "Bearer web-admin"}, id="administrator"),
        pytest.param({"x-api-key": "your-tool-api-key"}, id="tool"),
        pytest.param({}, id="nobody"),
    ],
)
def test_nothing_makes_the_product_fail(product, mode, headers):
    failures = [
        failure
        for found in product.get_all_operations()
        for failure in _failures(found.ok(), mode=mode, headers=headers)
    ]

    assert failures == []


def _failures(operation, *, mode, headers):
    failed = []

    @_BOUNDED
    @given(case=operation.as_strategy(generation_mode=mode))
    def call(case) -> None:
        response = case.call(headers=headers, timeout=_WAIT)
        if response.status_code >= 500:
            failed.append((operation.label, response.status_code, case.as_curl_command()))

    with contextlib.suppress(Unsatisfiable):  # an operation that takes nothing cannot be called wrongly
        call()
    return failed
