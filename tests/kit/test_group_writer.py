"""What arrives together is written together, and fails alone."""

import asyncio
from collections import Counter, defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from self_service_agent.kit.group_writer import GroupWriter, Overloaded


class Rejected(Exception):
    pass


class Ledger:
    """Writes what it gets; the gate holds the first group, so that what arrives meanwhile becomes the next."""

    def __init__(self) -> None:
        self.groups = []
        self.gate = asyncio.Event()
        self.writing = asyncio.Event()

    async def write(self, items):
        self.groups.append(list(items))
        self.writing.set()
        await self.gate.wait()
        if "bad" in items:
            raise Rejected
        if "broken" in items:
            raise RuntimeError
        return [Rejected() if item == "refused" else f"{item}!" for item in items]


async def written(*items, limit=4096):
    """Submit the first item, then, while it is being written, the others; return what each of them became."""
    ledger = Ledger()
    writer = GroupWriter(ledger.write, rejections=(Rejected,), limit=limit)
    first = asyncio.ensure_future(writer.submit(items[0]))
    await ledger.writing.wait()
    others = [asyncio.ensure_future(writer.submit(item)) for item in items[1:]]
    await asyncio.sleep(0)
    ledger.gate.set()
    async with asyncio.timeout(5):
        return ledger.groups, await asyncio.gather(first, *others, return_exceptions=True)


def kinds(results):
    return [result if isinstance(result, str) else type(result) for result in results]


async def test_what_arrives_during_a_write_is_written_together_and_in_order():
    groups, results = await written("a", "b", "c", "d")

    assert groups == [["a"], ["b", "c", "d"]]
    assert results == ["a!", "b!", "c!", "d!"]


async def test_a_group_has_at_most_64_items():
    groups, results = await written(*map(str, range(150)))

    assert [len(group) for group in groups] == [1, 64, 64, 21]
    assert results == [f"{number}!" for number in range(150)]


@pytest.mark.parametrize(
    ("items", "outcome"),
    [
        (("a", "b", "bad", "c"), ["a!", "b!", Rejected, "c!"]),
        (("bad", "a"), [Rejected, "a!"]),
        (("a", "b", "refused"), ["a!", "b!", Rejected]),
        (("a", "b", "broken"), ["a!", RuntimeError, RuntimeError]),
        (("broken", "a"), [RuntimeError, "a!"]),
    ],
)
async def test_what_cannot_be_written_fails_alone_unless_nobody_knows_why(items, outcome):
    _, results = await written(*items)

    assert kinds(results) == outcome


async def test_too_much_waiting_is_refused_at_once():
    _, results = await written("a", "b", "c", "d", limit=2)

    assert kinds(results) == ["a!", "b!", "c!", Overloaded]


async def test_what_a_cancelled_caller_submitted_is_written_all_the_same():
    ledger = Ledger()
    writer = GroupWriter(ledger.write, rejections=())
    first, second = (asyncio.ensure_future(writer.submit(item)) for item in "ab")
    await ledger.writing.wait()
    first.cancel()
    second.cancel()
    ledger.gate.set()

    await writer.close()

    assert ledger.groups == [["a", "b"]]
    assert await writer.submit("c") == "c!"


async def in_turns(waves):
    """Submit each wave of keys while the group before is being written; return the groups of (key, number)."""
    groups, pending = [], list(waves)
    numbers, submitted = Counter(), []

    def submit_next_wave():
        for key in pending.pop(0) if pending else ():
            submitted.append(asyncio.ensure_future(writer.submit((key, numbers[key]), key=key)))
            numbers[key] += 1

    async def write(items):
        groups.append(list(items))
        submit_next_wave()
        await asyncio.sleep(0)
        return items

    writer = GroupWriter(write, rejections=())
    while pending:
        submit_next_wave()
        await asyncio.gather(*submitted)
    return groups, await asyncio.gather(*submitted)


waves_of_keys = st.lists(st.lists(st.sampled_from("abcdef"), max_size=200), max_size=6)


@given(waves=waves_of_keys)
def test_nothing_is_lost_and_the_items_of_one_key_keep_their_order(waves):
    groups, results = asyncio.run(in_turns(waves))
    written = defaultdict(list)
    for key, number in (item for group in groups for item in group):
        written[key].append(number)

    wanted = Counter(key for wave in waves for key in wave)
    assert written == {key: list(range(count)) for key, count in wanted.items()}
    assert Counter(key for key, _ in results) == wanted
    assert all(len(group) <= 64 for group in groups)


@given(keys=st.lists(st.sampled_from("abcdef"), min_size=1, max_size=300))
def test_nobody_is_two_items_ahead_of_somebody_who_waits(keys):
    groups, _ = asyncio.run(in_turns([keys]))

    seen = Counter()
    for key, number in (item for group in groups for item in group):
        assert all(others <= number + 1 for others in seen.values())
        seen[key] += 1


async def test_a_single_item_is_in_the_next_group_whatever_somebody_else_has_waiting():
    groups, _ = await in_turns([["greedy"] * 1000, ["modest"]])

    assert ("modest", 0) in groups[1]
    assert len(groups[1]) == 64
    assert sum(map(len, groups)) == 1001
