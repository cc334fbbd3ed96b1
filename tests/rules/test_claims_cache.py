"""What is remembered of tokens: so many, so long, and never the token."""

import gc

from hypothesis import given
from hypothesis import strategies as st

from entrada.provider.tokens.claims_cache import ClaimsCache, Entry


def entry(value: str, until: float = 100.0) -> Entry[str]:
    return Entry(value, until=until, sure_until=until)


def test_sec_056_it_ends_with_the_token():
    """SEC-056, API-3: from its end on an entry is gone, and sweeping gives the room back."""
    cache = ClaimsCache[str]()
    cache.put(b"token", entry("ada"))
    assert cache.get(b"token", now=99.9).value == "ada"
    assert cache.get(b"token", now=100.0) is None
    assert len(cache) == 0
    cache.put(b"token", entry("ada"))
    cache.sweep(now=100.0)
    assert len(cache) == 0


def test_sec_056_it_is_bounded():
    """SEC-056: a full cache lets go of what was longest unused, and grows no more."""
    cache = ClaimsCache[str](most=3)
    for name in ("a", "b", "c"):
        cache.put(name.encode(), entry(name))
    cache.get(b"a", now=0.0)
    for number in range(1000):
        cache.put(b"d%d" % (number % 2), entry("d"))
    assert len(cache) == 3
    assert cache.get(b"a", now=0.0) is not None
    assert cache.get(b"b", now=0.0) is None


def test_sec_056_the_whole_token_counts():
    """SEC-056: one bit of difference anywhere is another token, and two processes keep them in different places."""
    token = b"x" * 2000
    cache, other = ClaimsCache[str](), ClaimsCache[str]()
    cache.put(token, entry("ada"))
    for place in (0, 1000, 1999):
        changed = token[:place] + b"y" + token[place + 1 :]
        assert cache.get(changed, now=0.0) is None
    assert cache.get(token + b"x", now=0.0) is None
    assert other.get(token, now=0.0) is None
    other.put(token, entry("ada"))
    places = [next(iter(each._entries)) for each in (cache, other)]
    assert places[0] != places[1]


def test_sec_056_no_token_is_held():
    """SEC-056: what the cache refers to has no piece of the token."""
    cache = ClaimsCache[str]()
    cache.put(b"a-token-that-is-nowhere", entry("ada"))
    held = gc.get_referents(cache._entries)
    assert not any(isinstance(each, bytes) and b"token" in each for each in held)


@given(st.lists(st.tuples(st.sampled_from("pdgs"), st.integers(0, 6), st.integers(1, 9)), max_size=60))
def test_never_a_value_that_was_not_put_or_is_over(steps):
    """Whatever is done in whichever order, a look-up gives what was last put for that token and is not over."""
    cache, put = ClaimsCache[int](most=4), {}
    for now, (what, token, life) in enumerate(steps):
        name = str(token).encode()
        if what == "p":
            put[name] = (now + life, life)
            cache.put(name, Entry(life, until=now + life, sure_until=now + life))
        elif what == "d":
            put.pop(name, None)
            cache.drop(name)
        elif what == "s":
            cache.sweep(now=now)
        found = cache.get(name, now=now)
        assert len(cache) <= 4
        if found is not None:
            assert put[name] == (found.until, found.value)
            assert now < found.until
