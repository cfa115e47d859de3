"""Both understanders lead to the same end; what differs in words is no mistake, what differs in the world is one."""

from dataclasses import replace

from self_service_agent.evaluation.files import evaluations_folder, load_phrases, load_scenarios
from self_service_agent.evaluation.parity import differences
from self_service_agent.evaluation.run import evaluate, understanding_by
from tests.evaluation.builders import a_record, an_exchange, an_order

FEW = "laptop-refresh/na/correction-after-summary,laptop-refresh/na/cancel-at-summary,access/warehouse-reader"


async def test_rules_and_a_model_end_alike():
    folder = evaluations_folder()
    chosen, phrases = load_scenarios(folder, FEW), load_phrases(folder)

    wishes = [replace(understanding_by(by), embeds=False) for by in ("rules", "scripted")]
    first, second = [await evaluate(chosen, phrases, wishes=each) for each in wishes]

    assert [each for each in differences(first.records, second.records) if each.is_mistake] == []
    assert "llm" in second.engine
    assert second.effort.tokens > 0


def test_other_orders_are_a_mistake():
    [difference] = differences([a_record(orders=(an_order(),))], [a_record(orders=(an_order(code="na-mac-14"),))])

    assert (difference.what, difference.is_mistake) == ("orders", True)


def test_other_keys_are_none():
    assert differences([a_record(orders=(an_order(),))], [a_record(orders=(an_order(key="key-2"),))]) == ()


def test_other_words_are_listed():
    [difference] = differences([a_record(an_exchange("Hello."))], [a_record(an_exchange("Hi."))])

    assert (difference.what, difference.is_mistake) == ("answer 1", False)
