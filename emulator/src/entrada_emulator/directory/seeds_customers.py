"""The default directory's customers: a B2C tenant with its user flows, and an External ID tenant."""

from entrada_emulator.directory.model import (
    TENANT_MARK,
    Application,
    RedirectUri,
    Scope,
    Secret,
    Tenant,
    User,
    UserFlow,
)

SHOP_DOMAIN = "birchshop.onmicrosoft.com"
SHOP = Tenant(
    f"{TENANT_MARK}0b2c-4000-8000-000000000b2c",
    "Birch Shop",
    (SHOP_DOMAIN,),
    kind="b2c",
    user_flows=(
        UserFlow("B2C_1_susi"),
        UserFlow("B2C_1_susi_reset", resets_passwords=True),
        UserFlow("B2C_1_signin", "sign_in"),
        UserFlow("B2C_1_signup", "sign_up"),
        UserFlow("B2C_1_reset", "password_reset"),
        UserFlow("B2C_1_edit", "profile_edit"),
        UserFlow("B2C_1_ropc", "ropc"),
    ),
)
FAMILY = Tenant(
    f"{TENANT_MARK}0c1a-4000-8000-0000000000c1", "Birch Family", ("birchfamily.onmicrosoft.com",), kind="external"
)
SHOP_APP = "a0000000-0000-4000-8000-000000000101"
SHOP_SPA = "a0000000-0000-4000-8000-000000000102"
SHOP_API = "a0000000-0000-4000-8000-000000000103"
SHOP_API_URI = f"https://{SHOP_DOMAIN}/basket"
SHOP_API_SCOPE = f"https://{SHOP_DOMAIN}/api/user_impersonation"
SHOP_ADMIN = "c0000000-0000-4000-8000-000000000103"
PORTAL = "https://portal.birch.example"
FAMILY_APP = "a0000000-0000-4000-8000-000000000111"
WEB = (
    "http://localhost/callback",
    "http://localhost/api/auth/callback",
    "http://localhost/auth/callback",
    "http://localhost/signed-out",
    f"{PORTAL}/auth/callback",
    f"{PORTAL}/signed-out",
)
PAGES = (
    "http://localhost/redirect.html",
    "https://localhost/redirect.html",
    "http://localhost/docs/oauth2-redirect",
    f"{PORTAL}/docs/oauth2-redirect",
)


def customers(password: str) -> tuple[User, ...]:
    """Who buys: two in the shop, one with External ID."""
    return (
        User(
            "c0000000-0000-4000-8000-000000000101",
            SHOP.id,
            "carla@customer.example",
            "Carla Customer",
            password,
            given_name="Carla",
            surname="Customer",
            mail="carla@customer.example",
            extensions={"LoyaltyId": "B-1001"},
            note="customer",
        ),
        User(
            "c0000000-0000-4000-8000-000000000102",
            SHOP.id,
            "luis@customer.example",
            "Luis Locked",
            password,
            mail="luis@customer.example",
            account_enabled=False,
            note="disabled",
        ),
        User(
            SHOP_ADMIN,
            SHOP.id,
            "anton@customer.example",
            "Anton Admin",
            password,
            given_name="Anton",
            surname="Admin",
            mail="anton@customer.example",
            note="customer, administrator of the example b2c_api",
        ),
        User(
            "c0000000-0000-4000-8000-000000000111",
            FAMILY.id,
            "felix@birchfamily.onmicrosoft.com",
            "Felix Family",
            password,
            given_name="Felix",
            surname="Family",
            mail="felix@customer.example",
            note="customer of Birch Family",
        ),
    )


def customer_applications() -> tuple[Application, ...]:
    """The shop's web application, its page without a server, its API; and the family's application."""
    web = tuple(RedirectUri(uri) for uri in WEB)
    return (
        Application(
            SHOP_APP,
            SHOP.id,
            "Birch Shop",
            redirect_uris=web,
            secrets=(Secret("emulator-secret-birch-shop"),),
            identifier_uris=(f"https://{SHOP_DOMAIN}/api",),
            scopes=(Scope("user_impersonation", "Use the shop as you"),),
        ),
        Application(
            SHOP_SPA,
            SHOP.id,
            "Birch Shop Window",
            redirect_uris=tuple(RedirectUri(uri, "spa") for uri in PAGES),
            kind="spa",
        ),
        Application(
            SHOP_API,
            SHOP.id,
            "Birch Basket API",
            identifier_uris=(SHOP_API_URI,),
            scopes=(Scope("basket.read", "See your basket"), Scope("basket.write", "Fill your basket")),
            kind="api",
        ),
        Application(
            FAMILY_APP,
            FAMILY.id,
            "Birch Family Album",
            redirect_uris=web,
            secrets=(Secret("emulator-secret-birch-family"),),
            pre_consented=("openid", "profile", "email", "offline_access", "User.Read"),
        ),
    )
