"""How `make demo EXAMPLE=enterprise` runs this example."""

from collections.abc import Mapping

from entrada_emulator.directory.seeds import WEB_APP

from examples.demo import Demo

SETTINGS = {
    "ENTRADA_ADMIN": "true",
    "ENTRADA_ADMIN_ROLE": "Admin",
    "ENTRADA_ADMIN_MFA_CONTEXT": "c1",
    "ENTRADA_CONSOLE": "true",
    "ENTRADA_DENY_BY_DEFAULT": "true",
}
NOTE = "Administration: /admin as Pia (approve on the emulated phone), or as Ada (set up an authenticator first)"


def demo(_environment: Mapping[str, str]) -> Demo:
    """Return it: its routes are where document E has them, below /api/auth and /api/admin."""
    return Demo(client_id=WEB_APP, prefix="/api/auth", settings=SETTINGS, note=NOTE)
