"""What each check of the emulator is about, and how to mend what it refuses."""

from dataclasses import dataclass

from entrada_emulator.inspector.notes import CheckName


@dataclass(frozen=True, slots=True)
class Explained:
    """A check: what it made sure of, as a sentence, and the mend."""

    title: str
    mend: str


CHECKS: dict[CheckName, Explained] = {
    "tenant": Explained(
        "The path names a tenant of the directory",
        "Check the tenant in the authority: a GUID, a verified domain, or `common`, `organizations`, `consumers`.",
    ),
    "application": Explained(
        "The client id is registered and may be used in this tenant",
        "Compare client id and tenant with the registration; an application of one tenant is asked at that tenant.",
    ),
    "redirect_uri": Explained(
        "The redirect URI is registered for the application",
        "Register exactly this address (only the port may differ on localhost), or mend the one in the request.",
    ),
    "response_type": Explained(
        "The kind of answer that is asked for is enabled",
        "Ask for `response_type=code`; tokens through the browser are switched off.",
    ),
    "prompt": Explained("The prompt is one that exists", "Send one of none, login, consent, select_account."),
    "scopes": Explained(
        "The scopes exist, and the APIs they belong to",
        "Spell each scope as its API publishes it, with the API's identifier in front unless it is Graph's.",
    ),
    "challenge": Explained(
        "The proof-key challenge is well-formed",
        "Send the base64url of a SHA-256, 43 characters without padding, with `code_challenge_method=S256`.",
    ),
    "session": Explained("Somebody is signed in at this browser", "Nothing is wrong: the person signs in again."),
    "attempt": Explained(
        "The page belongs to a sign-in that this browser began",
        "Go back to the application and sign in again, in the same browser and with cookies allowed.",
    ),
    "password": Explained("The password is right and the account usable", "Type it again; see who can sign in."),
    "second_factor": Explained(
        "The second factor is right", "Take the newest code of the authenticator, or approve on the emulated phone."
    ),
    "assignment": Explained(
        "The person is assigned to the application",
        "Assign the person a role of the application, or let it take everybody.",
    ),
    "client_authentication": Explained(
        "The client proved that it is the application",
        "Send a registered secret or a signed assertion for a web application, and neither for a public one or a "
        "single-page application.",
    ),
    "cross_origin": Explained(
        "The request came from where this kind of client lives",
        "Redeem codes of a `spa` redirect URI by a script in the browser, those of a `web` one on the server.",
    ),
    "code_known": Explained(
        "The code was issued here",
        "Send the code as it came, whole and decoded once; a restarted emulator knows no older code.",
    ),
    "code_unspent": Explained(
        "The code was not redeemed before",
        "Redeem a code once: look for a callback that is loaded twice, or two workers that both redeem.",
    ),
    "code_in_time": Explained(
        "The code is not older than ten minutes", "Redeem the code at once; compare the clocks of both sides."
    ),
    "code_client": Explained(
        "The code was issued to this very client", "Redeem it with the client id that asked for it."
    ),
    "code_redirect_uri": Explained(
        "The redirect URI is that of the authorization request",
        "Send the same `redirect_uri` as before, letter by letter: port, path and slash included.",
    ),
    "code_place": Explained(
        "The code was issued at this tenant path or policy",
        "Use one authority for both requests: do not authorize at `common` and redeem at the tenant.",
    ),
    "pkce": Explained(
        "The verifier is the secret behind the challenge",
        "Keep the `code_verifier` with the `state` of the same sign-in, and send that one; a second tab must not "
        "overwrite it.",
    ),
    "nonce": Explained(
        "The nonce was copied into the ID token",
        "Nothing to mend here: the application must refuse this token.",
    ),
    "person": Explained(
        "The person exists, is enabled, and may use the application", "Enable the account or assign the person."
    ),
    "not_revoked": Explained(
        "Nobody revoked the person's sessions since",
        "The person signs in again; somebody revoked.",
    ),
    "consent": Explained(
        "Everything asked for was consented to",
        "Let the person agree by an interactive sign-in with these scopes, or an administrator for everybody.",
    ),
    "policies": Explained(
        "No Conditional Access policy stands in the way",
        "The person signs in again with what the policy asks for; send the `claims` of the answer along.",
    ),
    "contexts": Explained(
        "The authentication contexts asked for are fulfilled",
        "Send the person through a sign-in with the `claims` of the answer.",
    ),
    "refresh_known": Explained(
        "The refresh token was issued here and not revoked",
        "The person signs in again; a restarted emulator knows no older token.",
    ),
    "refresh_in_time": Explained(
        "The refresh token is not too old",
        "The person signs in again: a single-page application's lasts 24 hours, others 90 days of rest.",
    ),
    "refresh_unused": Explained(
        "The refresh token was not used before", "Store the new refresh token before the old one is used again."
    ),
    "refresh_client": Explained(
        "The refresh token was issued to this very client", "Use it with the client id that got it."
    ),
    "device_code": Explained(
        "The device's code is known, in its time, and approved",
        "While it is pending, poll again after the interval; else let the device ask for a new one.",
    ),
    "assertion_signature": Explained(
        "The assertion is signed by a key that is registered or published",
        "Register the certificate that signs, and name it by its thumbprint in the header.",
    ),
    "assertion_audience": Explained(
        "The assertion is meant for whom it was shown to",
        "A client's assertion is for the token endpoint; an access token on behalf of somebody is for this very API.",
    ),
    "assertion_times": Explained("The assertion is in its time", "Make a new one; compare the clocks of both sides."),
    "assertion_person": Explained(
        "The assertion speaks of a person", "An application's own token stands for nobody: there is no one to act for."
    ),
    "resource": Explained(
        "The API is there in this tenant and lets the application in", "Grant the application a role at that API."
    ),
    "token_signature": Explained(
        "The access token is signed by this tenant", "Send the access token as it came; an ID token will not do."
    ),
    "token_audience": Explained(
        "The access token is for this API", "Ask for a token with a scope of Graph, such as `User.Read`."
    ),
    "token_times": Explained("The access token is in its time", "Renew it with the refresh token."),
    "permission": Explained(
        "The token has the permission that this call needs", "Ask for the scope, and have it consented to."
    ),
    "logout_redirect_uri": Explained(
        "The address after sign-out is registered", "Register it among the application's redirect URIs."
    ),
}
