import pytest

from self_service_agent.connectors.servicenow.values import Employee
from self_service_agent.kit.service_tokens import ServiceIdentity
from self_service_agent.mcp_servers.servicenow import rules


def an_employee(*, active=True):
    return Employee(
        sys_id="1001",
        name="Alice Johnson",
        email="alice.johnson@company.com",
        login="alice.johnson",
        location="NA",
        active=active,
    )


@pytest.mark.parametrize(
    "name", ["Alice Johnson", "alice  johnson ", "ALICE JOHNSON", "alice.johnson", "Alice.Johnson@company.com"]
)
def test_ones_own_name_is_accepted_however_it_is_written(name):
    rules.require_own_name(an_employee(), name)


@pytest.mark.parametrize("name", ["Brian Cole", "Alice", "Johnson", "", "Alice Johnson and Brian Cole"])
def test_any_other_name_is_refused(name):
    with pytest.raises(rules.SomebodyElse):
        rules.require_own_name(an_employee(), name)


def test_leavers_are_refused():
    rules.require_active(an_employee())

    with pytest.raises(rules.NotAnEmployee):
        rules.require_active(an_employee(active=False))


@pytest.mark.parametrize("subject", [None, ""])
def test_a_service_must_say_for_whom_it_acts(subject):
    with pytest.raises(rules.NoPerson):
        rules.person_behind(ServiceIdentity(service="agent-service", subject=subject))
