"""The simulated person answers from the envelope, does what the scenario says once, and leaves when it is over."""

from random import Random

import pytest

from self_service_agent.evaluation.agenda import Seen, SimulatedPerson
from self_service_agent.evaluation.files import evaluations_folder, load_phrases
from tests.evaluation.builders import a_scenario

PHRASES = load_phrases(evaluations_folder())
OFFER = Seen(
    expects="choice",
    flow="laptop_refresh",
    step="pick",
    choices=({"id": "na-std-14", "label": "ThinkPad T14"}, {"id": "na-mac-14", "label": "MacBook"}),
)
SUMMARY = Seen(expects="confirmation", flow="laptop_refresh", step="summary", confirms="open_laptop_refresh_ticket")
DONE = Seen()


def a_simulated_person(**fields):
    person = SimulatedPerson(a_scenario(**fields), PHRASES, Random(1))  # noqa: S311  # the same each time
    person.first_move()
    return person


def test_chooses_what_it_wants_and_agrees():
    person = a_simulated_person(answers={"pick": "na-mac-14"})

    assert person.next_move(OFFER).says in {"2", "number 2", "option 2", "na-mac-14", "the second one", "MacBook"}
    assert person.next_move(SUMMARY).act == "yes"
    assert person.next_move(DONE) is None


def test_deviates_once():
    person = a_simulated_person(deviations=[{"when": {"expects": "confirmation"}, "says": "hm"}])

    assert [person.next_move(SUMMARY).says, person.next_move(SUMMARY).act] == ["hm", "yes"]


def test_a_change_of_mind_lasts():
    person = a_simulated_person(
        answers={"pick": "na-std-14"},
        deviations=[{"when": {"expects": "confirmation"}, "act": "back", "answers": {"pick": "na-mac-14"}}],
    )
    person.next_move(SUMMARY)

    assert person.next_move(OFFER).says in {"2", "number 2", "option 2", "na-mac-14", "the second one", "MacBook"}


def test_says_it_in_other_words_until_the_flow_begins():
    person = a_simulated_person()

    said = [move.says for _ in range(6) if (move := person.next_move(DONE))]

    assert len(said) == len(set(said)) == 3


def test_leaves_a_flow_that_was_not_asked_for():
    person = a_simulated_person()

    assert person.next_move(Seen(expects="text", flow="my_laptop", step="x")).act == "cancel"


@pytest.mark.parametrize(("wish", "says"), [("retry", "1"), ("human", "2"), ("stop", "3")])
def test_decides_what_to_do_about_a_failure(wish, says):
    person = a_simulated_person(on_failure=wish)
    failure = Seen(
        expects="choice",
        flow="laptop_refresh",
        choices=tuple({"id": name, "label": name} for name in ("retry", "human", "stop")),
    )

    assert says in person.next_move(failure).says


def test_never_talks_longer_than_its_patience():
    person = a_simulated_person(patience=3)

    assert [person.next_move(SUMMARY) is None for _ in range(3)] == [False, False, True]


def test_leaves_when_a_person_took_over():
    assert a_simulated_person().next_move(Seen(mode="human")) is None
