"""How `make demo` runs this example."""

from collections.abc import Mapping

from entrada_emulator.directory.seeds import WEB_APP

from examples.demo import Demo


def demo(_environment: Mapping[str, str]) -> Demo:
    """Return it: /login, /callback and /logout are at the root."""
    return Demo(client_id=WEB_APP)
