"""What the django-oauth-toolkit provider says about a person, in the standard claims of OpenID Connect."""

from typing import Any

from oauth2_provider.oauth2_validators import OAuth2Validator


class PersonClaims(OAuth2Validator):  # type: ignore[misc]
    """Adds names and the address to what the toolkit says by itself, which is `sub` alone."""

    def get_additional_claims(self) -> dict[str, Any]:
        return {
            "name": lambda request: request.user.get_full_name(),
            "preferred_username": lambda request: request.user.username,
            "email": lambda request: request.user.email,
        }
