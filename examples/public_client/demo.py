"""How `make demo EXAMPLE=public_client` runs this example; CLIENT=private gives it a secret."""

from collections.abc import Mapping

from entrada_emulator.directory.seeds import CALCULATOR, WEB_APP

from examples.demo import Demo
from examples.supervisor import NotRunning

PUBLIC = "A public client: PKCE alone. CLIENT=private adds a secret."


def demo(environment: Mapping[str, str]) -> Demo:
    """Return it as the public client that it is by default, or as a private one."""
    kind = environment.get("CLIENT", "public")
    if kind not in {"public", "private"}:
        raise NotRunning("CLIENT must be public or private.")
    private = kind == "private"
    return Demo(
        client_id=WEB_APP if private else CALCULATOR,
        prefix="/auth",
        confidential=private,
        note="A private client, with a secret."
        if private
        else "A public client: PKCE alone. CLIENT=private adds a secret.",
    )
