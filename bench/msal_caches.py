"""The way that has no index: ask the MSAL cache of each session whether its token is about to expire."""

import time
from collections.abc import Iterator, Sequence

import msal

from bench.authority_parts import cache_text

SOON = 300  # seconds


def walked(sizes: Sequence[int]) -> Iterator[tuple[int, float]]:
    """Give, for each number of sessions, the microseconds of one walk through their caches."""
    blob = cache_text()
    access_token = msal.TokenCache.CredentialType.ACCESS_TOKEN
    for size in sizes:
        due, started, now = 0, time.perf_counter(), time.time()
        for _ in range(size):
            cache = msal.SerializableTokenCache()
            cache.deserialize(blob)
            due += sum(int(each["expires_on"]) < now + SOON for each in cache.search(access_token))
        if due:
            raise RuntimeError("none of them was due")
        yield size, (time.perf_counter() - started) * 1e6
