"""A key is read as it was written, and every typing error is seen without asking anybody."""

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from self_service_agent.request_manager.keys.text import KeyKind, digest, format_key, hint_of, kind_of

KEY = format_key(KeyKind.PERSON, bytes(range(32)))
RANDOM = st.binary(min_size=32, max_size=32)
KEYS = st.builds(format_key, st.sampled_from(KeyKind), RANDOM)
# What could stand in a key's place by mistake, from anywhere in Unicode.
CHARACTERS = st.sampled_from(string.ascii_letters + string.digits + "_- ") | st.characters()


@given(kind=st.sampled_from(KeyKind), random=RANDOM)
def test_a_key_says_its_kind(kind, random):
    key = format_key(kind, random)

    assert kind_of(key) is kind
    assert re.fullmatch(rf"ssa_{kind}[0-9A-Za-z]{{49}}", key)


@given(first=RANDOM, second=RANDOM)
def test_different_random_bytes_make_different_keys(first, second):
    keys = {format_key(KeyKind.PERSON, random) for random in (first, second)}

    assert len(keys) == len({first, second})


@given(key=KEYS, place=st.integers(0, len(KEY) - 1), character=CHARACTERS)
def test_every_single_change_is_seen(key, place, character):
    changed = key[:place] + character + key[place + 1 :]

    assert (kind_of(changed) is None) == (changed != key)


def test_every_single_change_of_one_key_is_seen_without_exception():
    alphabet = string.ascii_letters + string.digits

    changed = [KEY[:place] + other + KEY[place + 1 :] for place in range(len(KEY)) for other in alphabet]

    assert {kind_of(each) for each in changed if each != KEY} == {None}


@given(key=KEYS, place=st.integers(0, len(KEY) - 2))
def test_two_neighbours_that_changed_places_are_seen(key, place):
    swapped = key[:place] + key[place + 1] + key[place] + key[place + 2 :]

    assert (kind_of(swapped) is None) == (swapped != key)


@given(st.text())
def test_any_text_is_read_without_an_error(text):
    assert kind_of(text) is None
    assert len(digest(text)) == 64


@pytest.mark.parametrize("text", [KEY + "\n", f" {KEY}", KEY[:-1], KEY + "0", KEY.upper(), KEY.replace("ssa_", "")])
def test_what_is_cut_or_padded_is_no_key(text):
    assert kind_of(text) is None


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        pytest.param(KEY, KEY[:9], id="a key of ours"),
        pytest.param("a-key-of-the-environment", "a-k", id="another long one"),
        pytest.param("web-demo", "", id="a short one gives nothing away"),
        pytest.param("", "", id="none"),
    ],
)
def test_a_hint_is_the_beginning_at_most(text, hint):
    assert hint_of(text) == hint
