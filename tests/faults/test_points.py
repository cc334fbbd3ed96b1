"""The named points of the fault tests are where the code is."""

import pytest

from tests.faults.points import POINTS, code_at


@pytest.mark.parametrize("point", POINTS)
def test_there_is_such_a_function(point: str) -> None:
    """A point whose function was renamed would never be reached, and its test would prove nothing."""
    assert code_at(point).co_qualname == point.partition(":")[2]


def test_a_function_that_is_gone() -> None:
    """It is an error at once."""
    with pytest.raises(AttributeError):
        code_at("entrada.flows.renewing.renewal:Renewal.no_longer")
