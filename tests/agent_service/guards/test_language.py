"""What is surely not English is recognised; short messages, names and English never are."""

import pytest

from self_service_agent.agent_service.guards.language import is_surely_not_english
from tests.agent_service.flows.conversation import Conversation, where

FOREIGN = [
    "Ich brauche einen neuen Laptop, weil meiner nicht mehr geht",
    "J'ai besoin d'un nouvel ordinateur portable",
    "Necesito un portátil nuevo por favor",
    "Ho bisogno di un nuovo computer per il lavoro",
    "Preciso de um computador novo para o meu trabalho",
    "Ik heb een nieuwe laptop nodig",
    "Potrzebuję nowy komputer do pracy, mój nie działa",
    "我需要一台新的笔记本电脑",
    "Мне нужен новый ноутбук",
    "أحتاج إلى حاسوب محمول جديد",
    "νέο φορητό υπολογιστή",
]
ENGLISH = [
    "I need a new laptop",
    "ja bitte",
    "merci",
    "日本",
    "Latitude 7420 de luxe",
    "Maria de la Cruz needs a laptop",
    "El Capitan is the old version on my mac",
    "the Große Straße office",
    "error: die() was called in the main loop",
    "the user Ein Mein is not in the list",
    "asdf qwer yxcv jklö",
    "order LAT-5450, DL7420001, SN-7420-1 😀😀😀",
    "x" * 8000,
]


@pytest.mark.parametrize("text", FOREIGN)
def test_another_language_is_recognised(text):
    assert is_surely_not_english(text)


@pytest.mark.parametrize("text", ENGLISH)
def test_english_and_what_is_too_short_to_tell_is_not_taken_for_another_one(text):
    assert not is_surely_not_english(text)


async def test_what_is_not_understood_because_of_its_language_gets_an_honest_answer_and_the_flow_stays():
    conversation = Conversation()

    cold = await conversation.say("Wie kann ich meinen Drucker mit dem Netz verbinden")
    begun = await conversation.say("I need a new laptop")
    foreign = await conversation.say("Ich nehme bitte das mit dem Apfel")

    for answer in (cold, foreign):
        assert "I only understand English" in answer.content
        assert "'human'" in answer.content
    assert where(foreign) == where(begun)
    assert conversation.tools.orders == []
