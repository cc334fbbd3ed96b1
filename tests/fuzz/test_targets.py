"""The short form of `make fuzz`: every seed, and what Hypothesis makes of it, with the verdicts side by side."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.seeds import SEEDS, WORDS
from tests.fuzz.targets import TARGETS

MORSELS = [word.encode() for word in WORDS]


@pytest.mark.parametrize("name", TARGETS)
def test_sec_044_sec_065_every_seed_is_judged_as_it_should_be(name):
    """SEC-044, SEC-045, SEC-065: seeds, whole and cut short, bring no bare error and no other verdict."""
    for seed in SEEDS[name]:
        TARGETS[name](seed)
        for end in range(0, len(seed), max(1, len(seed) // 40)):
            TARGETS[name](seed[:end])


def changed(seeds: list[bytes]) -> st.SearchStrategy[bytes]:
    """Return seeds in which a few stretches are replaced by morsels, other bytes or nothing."""
    change = st.tuples(
        st.floats(0, 1), st.integers(0, 6), st.sampled_from(MORSELS) | st.binary(max_size=4) | st.just(b"")
    )

    def apply(seed: bytes, changes: list[tuple[float, int, bytes]]) -> bytes:
        for place, length, put in changes:
            at = int(place * len(seed))
            seed = seed[:at] + put + seed[at + length :]
        return seed

    return st.builds(apply, st.sampled_from(seeds), st.lists(change, min_size=1, max_size=4))


@pytest.mark.parametrize("name", TARGETS)
def test_sec_044_sec_065_changed_seeds_are_judged_as_they_should_be(name):
    """SEC-044, SEC-045, SEC-063, SEC-065: whatever becomes of a seed, the verdict is that of an independent reader."""

    @settings(max_examples=300, deadline=None)
    @given(changed(SEEDS[name]))
    def judged(data: bytes) -> None:
        TARGETS[name](data)

    judged()
