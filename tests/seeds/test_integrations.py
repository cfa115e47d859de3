"""Defaults and overrides are shown, changed and reset as the guide says."""

from .examples import GUIDE, table, the_call, the_document, the_text
from .running import PERSON, filled, run_python, send, with_credential

EMAIL, SLACK = "EMAIL", "SLACK"


def asked(chapter, system, *, person=PERSON):
    """Send the request of a chapter about a person and their e-mail, and return its successful answer."""
    answer = send(filled(the_call(GUIDE, chapter), user_id=person, integration_type=EMAIL), system, person=person)
    assert answer.status == 200, answer.document
    return answer.document


def holds(document, expected):
    """Tell whether a document says everything that is expected; it may say more."""
    if isinstance(expected, dict):
        return all(name in document and holds(document[name], value) for name, value in expected.items())
    return document == expected


def as_here(printed):
    """Return a printed configuration of Slack for a system whose Slack is not configured, as this one's is not."""
    return printed | {"enabled": False}


def test_the_defaults_are_those_of_the_table(system):
    shown = asked("Get System Integration Defaults", system)["default_integrations"]

    tries = {1: "retry"}
    assert {
        kind: f"{each['retry_count']} {tries.get(each['retry_count'], 'retries')}, {each['retry_delay_seconds']}s delay"
        for kind, each in shown.items()
    } == {row["Integration"]: row["Default Retry"] for row in table(GUIDE)}
    assert {kind: each["priority"] for kind, each in shown.items()} == {
        row["Integration"]: int(row["Default Priority"].split()[0]) for row in table(GUIDE)
    }
    assert [kind for kind, each in shown.items() if each["enabled"]] == [EMAIL]


def test_the_printed_defaults_hold(system):
    shown = asked("Get System Integration Defaults", system)["default_integrations"]

    assert shown[SLACK] == as_here(the_document(GUIDE, "SLACK Defaults"))
    assert holds(shown[EMAIL], the_document(GUIDE, "EMAIL Defaults"))


def test_somebody_without_configurations_has_what_is_printed(system):
    printed = the_document(GUIDE, "User with No Custom Configurations")
    printed["effective_configs"][SLACK] = as_here(printed["effective_configs"][SLACK])

    shown = asked("Get User's Effective Configuration", system, person=printed["user_id"])

    assert holds(shown, printed)
    assert shown["user_overrides"] == {}


async def test_somebody_whose_email_was_configured_has_what_is_printed(system):
    printed = the_document(GUIDE, "User with Custom EMAIL Configuration")
    program = with_credential(the_text(GUIDE, "User Configuration Management Example"), printed["user_id"])

    names = await run_python(program, system)
    shown = asked("Get User's Effective Configuration", system, person=printed["user_id"])

    assert holds(shown, printed)
    assert shown["user_overrides"] == printed["user_overrides"]
    assert holds(await names["configure_user_email"](PERSON, "john.doe@company.com"), printed["user_overrides"][EMAIL])


def test_an_override_is_created_changed_deleted_and_reset(system):
    person = "an.other"
    created = asked("Create User Override", system, person=person)
    updated = asked("Update User Override", system, person=person)
    asked("Delete User Override", system, person=person)
    asked("Create User Override", system, person=person)
    reset = asked("Reset User to Defaults", system, person=person)

    body = the_call(GUIDE, "Create User Override").body
    assert holds(created, body)
    assert holds(updated, body | the_call(GUIDE, "Update User Override").body)
    assert reset["deleted_configs"] == 1


def test_the_history_of_somebody_without_deliveries_is_empty(system):
    assert asked("Get Delivery History", system, person="nobody.yet") == []


def test_the_health_is_told(system):
    assert asked("Health and Monitoring", system)["status"] == "healthy"
