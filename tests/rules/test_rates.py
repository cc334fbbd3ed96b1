"""Rates: how many in how long, by windows that slide."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrada import rates
from entrada.rates import Rate

HOUR = Rate.parse("50/hour")
DAY = Rate.parse("200/day")


def test_texts() -> None:
    """A rate is a number for a time; anything else is none (SEC-184)."""
    assert Rate.parse("50/hour") == Rate(50, 3600, "hour")
    for wrong in ("50", "50/hours", "50 / hour", "0/hour", "-1/hour", "50/fortnight", "1e3/day", "50/hour ", "٥/hour"):
        with pytest.raises(ValueError, match=r".+"):
            Rate.parse(wrong)


def test_both_limits_hold() -> None:
    """SEC-R: the fifty-first of an hour and the two-hundred-and-first of a day are refused, and told when to come."""
    limit, now = (HOUR, DAY), 86400 * 10_000.0
    counts = rates.nothing(limit)
    assert sum(rates.spend(counts, limit, now=now) for _ in range(60)) == 50
    assert rates.left(counts, limit, now=now) == [0, 150]
    assert 0 < rates.wait(counts, limit, now=now) <= 2 * 3600
    passed = sum(rates.spend(counts, limit, now=now + minute * 60) for minute in range(1, 24 * 60))
    assert passed + 50 <= 200


@given(st.integers(1, 20), st.sampled_from([1, 60, 3600]), st.lists(st.floats(0, 2.0), min_size=1, max_size=80))
def test_never_twice_the_quota_and_the_wait_is_true(quota: int, seconds: int, steps: list[float]) -> None:
    """SEC-152: no stretch of the time sees more than one and a half quotas; Retry-After holds."""
    limit = (Rate(quota, seconds, "x"),)
    counts, now, let = rates.nothing(limit), 1_000_000.0, []
    for step in steps:
        now += step * seconds / max(1, quota)
        if rates.spend(counts, limit, now=now):
            let.append(now)
        else:
            later = now + rates.wait(counts, limit, now=now)
            assert rates.spend(list(counts), limit, now=later), "it was told to come then"
    for start in let:
        assert sum(start <= at < start + seconds for at in let) <= quota * 1.5 + 1


def test_given_back() -> None:
    """What is given back can be used again, and never makes more than the quota."""
    limit = (HOUR,)
    counts = rates.nothing(limit)
    for _ in range(50):
        rates.spend(counts, limit, now=1e9)
    rates.spend(counts, limit, now=1e9, cost=-2)
    assert rates.left(counts, limit, now=1e9) == [2]
    rates.spend(counts, limit, now=1e9, cost=-100)
    assert rates.left(counts, limit, now=1e9) == [50]


def test_a_clock_that_is_set_back_forgets_no_count_twice() -> None:
    """Windows are numbered: an older one than that held counts anew, and only once."""
    limit = (Rate(3, 60, "minute"),)
    counts = rates.nothing(limit)
    assert [rates.spend(counts, limit, now=600.0) for _ in range(4)] == [True, True, True, False]
    assert [rates.spend(counts, limit, now=540.0) for _ in range(4)] == [True, True, True, False]
