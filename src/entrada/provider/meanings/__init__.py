"""The catalogue of refusals: a code or an error word, what it means to the person, to the operator, and where to mend.

The texts are ours; nothing of the authority's own is in them or added to them (SEC-015). Sources of the codes:
"Microsoft Entra authentication and authorization error codes" and "Error codes: Azure Active Directory B2C".
"""

from entrada.provider.meanings.b2c import OF_B2C
from entrada.provider.meanings.meaning import AGAIN, SIGN_IN_LOGS, Meaning
from entrada.provider.meanings.oauth import OF_OAUTH
from entrada.provider.meanings.people import OF_PEOPLE
from entrada.provider.meanings.registration import OF_REGISTRATIONS

__all__ = ["MEANINGS", "UNKNOWN", "Meaning", "meaning_of"]


def _by_number(catalogue: dict[str, Meaning]) -> dict[str, Meaning]:
    """Return the codes in the order in which one looks them up."""
    return dict(sorted(catalogue.items(), key=lambda entry: (len(entry[0]), entry[0])))


MEANINGS: dict[str, Meaning] = OF_OAUTH | _by_number(OF_PEOPLE | OF_REGISTRATIONS) | _by_number(OF_B2C)
UNKNOWN = Meaning(
    "The sign-in service did not accept this sign-in.", AGAIN, "see the code at the authority", SIGN_IN_LOGS
)


def meaning_of(error: str, *, aadsts: str | None = None) -> Meaning:
    """Return the plain words for a refusal: its number's when we have them, else its error word's."""
    return MEANINGS.get(aadsts or "") or MEANINGS.get(error) or UNKNOWN
