"""Why a server's certificate is not taken, and how to mend it, from what OpenSSL says."""

import re

SAID = re.compile(r"certificate verify failed: (.{1,160}?)(?: \(_ssl|$)")
MENDS = (
    (re.compile("has expired"), "renew it there, or put this machine's clock right"),
    (re.compile("not yet valid"), "put this machine's clock right"),
    (re.compile("mismatch"), "the address in the settings must be one that it names"),
    (
        re.compile(
            "Missing .* Key Identifier|[Kk]ey [Uu]sage|marked critical|not critical|name empty|[Pp]ath ?len"
            "|Empty Subject|requires at least X509v3"
        ),
        "Python 3.13 and newer hold every certificate to RFC 5280: have its authority issue it anew with what lacks",
    ),
    (re.compile(""), "a private authority's own certificate goes into ca_file"),
)
"""The first that fits; whatever else is wrong, mostly nobody vouches for the authority."""


def reason(error: Exception) -> str | None:
    """Return why a certificate was refused; None when it is about something else."""
    if "CERTIFICATE_VERIFY_FAILED" not in str(error):
        return None
    found = SAID.search(str(error))
    said = found[1] if found else "not trusted"
    mend = next(mend for rule, mend in MENDS if rule.search(said))
    return f"its certificate is refused ({said}); {mend}"
