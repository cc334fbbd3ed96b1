"""Where the console and the account page are."""

ADMIN = "/admin"
ACCOUNT = "/account"
OWN_PHOTO = f"{ACCOUNT}/photo"


def is_page(path: str) -> bool:
    """Say whether somebody may come back to this path after signing in: it is one of these pages."""
    return path in {ADMIN, ACCOUNT} or path.startswith(f"{ADMIN}/")
