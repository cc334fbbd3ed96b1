"""How `make demo EXAMPLE=b2c_api` runs this example: its authority is the emulator's B2C tenant."""

from collections.abc import Mapping

from entrada_emulator.directory.seeds_customers import SHOP, SHOP_ADMIN, SHOP_API_SCOPE, SHOP_APP, SHOP_DOMAIN, SHOP_SPA

from examples.demo import Demo, Ports

POLICY = "B2C_1_susi"


def demo(_environment: Mapping[str, str]) -> Demo:
    """Return it as document D sets it up: `/auth/login`, `/auth/callback`."""
    settings = {"API_ADMINS": SHOP_ADMIN, "ENTRADA_SWAGGER_CLIENT_ID": SHOP_SPA}
    return Demo(client_id=SHOP_APP, prefix="/auth", tenant=SHOP, authority=authority, settings=settings)


def authority(ports: Ports, secret: str) -> Mapping[str, str]:
    """Return the variables that name the tenant, its user flows and the application there."""
    base = f"https://localhost:{ports.clients}/{SHOP_DOMAIN}"
    return {
        "B2C_TENANT_ID": SHOP_DOMAIN,
        "B2C_CLIENT_ID": SHOP_APP,
        "B2C_CLIENT_SECRET": secret,
        "B2C_AUTHORITY": base,
        "B2C_SIGNIN_POLICY": POLICY,
        "B2C_RESET_POLICY": "B2C_1_reset",
        "B2C_EDIT_POLICY": "B2C_1_edit",
        "B2C_SCOPE": SHOP_API_SCOPE,
        "B2C_OPENID_CONFIG": f"{base}/{POLICY}/v2.0/.well-known/openid-configuration",
        "B2C_JWKS_URI": f"{base}/{POLICY}/discovery/v2.0/keys",
    }
