"""The encoder computes what its published weights stand for."""

import math

import numpy as np
import pytest
from tokenizers import Tokenizer

from self_service_agent.agent_service.embedding.encoder import LONGEST
from self_service_agent.agent_service.embedding.weights import TOKENIZER, WEIGHTS, read_weights

from .forward import forward

TEXTS = ("I need a new laptop", "héllo", "", "VPN error 809!", "a " * 40 + "b", "日本語のテキスト", "word " * 100)


def likeness(left, right):
    return sum(one * other for one, other in zip(left, right, strict=True))


def test_vectors_agree_with_a_plain_computation_of_the_same_weights(encoder, folder):
    weights = read_weights(folder / WEIGHTS)
    tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
    tokenizer.no_padding()
    tokenizer.enable_truncation(LONGEST)

    plain = [forward(weights, tokenizer.encode(text).ids) for text in TEXTS]

    assert np.abs(np.array(encoder.vectors_of(TEXTS)) - np.array(plain)).max() < 1e-4


def test_vectors_have_length_one(encoder):
    assert [math.hypot(*vector) for vector in encoder.vectors_of(TEXTS)] == pytest.approx([1] * len(TEXTS), abs=1e-5)


@pytest.mark.parametrize(
    ("text", "nearer", "farther"),
    [
        ("my computer is old", "I need a new laptop", "I forgot my password"),
        ("I cannot sign in", "reset my password", "order a keyboard"),
        ("what is the weather like", "will it rain today", "open a ticket"),
        ("the tunnel to the office drops", "VPN trouble", "laptop catalogue"),
    ],
)
def test_likeness_follows_meaning(encoder, text, nearer, farther):
    vector, near, far = encoder.vectors_of([text, nearer, farther])

    assert likeness(vector, near) > likeness(vector, far) + 0.1


def test_what_is_beyond_the_limit_does_not_count(encoder):
    start = "word " * LONGEST

    short, long = encoder.vectors_of([start, start + "and something quite different"])

    assert long == pytest.approx(short, abs=1e-5)
