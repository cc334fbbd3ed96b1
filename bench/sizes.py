"""How much of everything is measured; with `BENCH_SMALL=1` as little as shows that it still works."""

import os
from typing import TypeVar

T = TypeVar("T")


def size(usual: T, small: T) -> T:
    """Return one of the two."""
    return small if os.environ.get("BENCH_SMALL") else usual
