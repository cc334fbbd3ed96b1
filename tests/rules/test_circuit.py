"""When a server that does not answer is asked again."""

import pytest

from entrada.errors import StoreUnavailable
from entrada.sessions.stores.circuit import FAILURES, PAUSE, Circuit


class Watch:
    """Seconds that are set by hand."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def open_circuit(watch: Watch) -> Circuit:
    circuit = Circuit(now=watch)
    for _ in range(FAILURES):
        circuit.enter()
        circuit.failed()
    return circuit


def test_single_failures_keep_nobody_out(watch: Watch) -> None:
    """REL-010: a failure now and then, with answers between, changes nothing."""
    circuit = Circuit(now=watch)
    for _ in range(FAILURES * 3):
        circuit.enter()
        circuit.failed()
        circuit.answered()
    circuit.enter()


def test_failures_in_a_row_answer_for_the_server(open_circuit: Circuit) -> None:
    """REL-010: after so many in a row nobody waits for the server any more."""
    with pytest.raises(StoreUnavailable):
        open_circuit.enter()


def test_one_at_a_time_tries(open_circuit: Circuit, watch: Watch) -> None:
    """REL-010: after a pause one caller tries, and the others are told at once; also when that one never comes back."""
    for _ in range(3):
        watch.seconds += PAUSE
        open_circuit.enter()
        for _ in range(5):
            with pytest.raises(StoreUnavailable):
                open_circuit.enter()


def test_an_answer_lets_everybody_in(open_circuit: Circuit, watch: Watch) -> None:
    """REL-010: as soon as one try is answered all are let through again."""
    watch.seconds += PAUSE
    open_circuit.enter()
    open_circuit.answered()
    for _ in range(5):
        open_circuit.enter()
