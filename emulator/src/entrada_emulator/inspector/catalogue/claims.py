"""What each claim is for, and what its reader must check."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim, told in a sentence; `must` says what whoever takes the token checks, if anything."""

    text: str
    must: str = ""


HEADER = {
    "alg": Claim("How it was signed.", "Only algorithms that you chose: never `none`, never one that the token picks."),
    "kid": Claim("Which published key signed it.", "The key is looked up in the issuer's key set, nowhere else."),
    "typ": Claim("That it is a JWT."),
    "x5t": Claim("The thumbprint of the certificate of that key."),
    "x5t#S256": Claim("The thumbprint of the certificate of that key."),
    "nonce": Claim("Microsoft Graph's own: because of it nobody but Graph can verify the signature."),
}
CLAIMS = {
    "aud": Claim("For whom the token is.", "It is you: your client id in an ID token, your API in an access token."),
    "iss": Claim("Who issued it.", "It is the issuer that you trust, with the tenant of `tid` in it."),
    "iat": Claim("When it was issued."),
    "nbf": Claim("From when on it is good.", "It is not in the future, but for a small skew of clocks."),
    "exp": Claim("When it ends.", "It is in the future, but for a small skew of clocks."),
    "nonce": Claim("The application's random value, from the authorization request.", "It is the one you sent."),
    "sub": Claim("The person, under a name that is different for each application."),
    "oid": Claim("The person's object id, the same in every application of the tenant; with `tid` the key to store."),
    "tid": Claim("The organisation.", "It is one that you let in, if you let in several."),
    "name": Claim("The person's name, to show; it may change and is not unique."),
    "preferred_username": Claim("The name that they sign in with, to show; it may change hands: never a key."),
    "email": Claim("An address. Unless it is verified, anybody may have put it there: never a key."),
    "given_name": Claim("First name."),
    "family_name": Claim("Last name."),
    "ver": Claim("The version of the token's shape.", "It is the one that you expect."),
    "sid": Claim("The session at Entra; sign-outs on the front channel name it."),
    "auth_time": Claim("When the person proved who they are.", "It is recent enough, where you asked with `max_age`."),
    "amr": Claim("How they proved it: `pwd` a password, `mfa` a second factor."),
    "acr": Claim("A level of that proof, of version 1."),
    "acrs": Claim("The authentication contexts that were fulfilled.", "It names the one that your step-up asked for."),
    "idp": Claim("Who vouches for a guest: the organisation they are at home in."),
    "roles": Claim("Roles at this application, as its administrators assigned them.", "It has the role you demand."),
    "groups": Claim("Object ids of the person's groups."),
    "wids": Claim("Roles in the directory itself, such as Global Administrator."),
    "scp": Claim("What the person let the application do at this API.", "It has the scope that you demand."),
    "azp": Claim("Which client got the token."),
    "azpacr": Claim("How that client proved itself: 0 not at all, 1 by secret, 2 by certificate."),
    "appid": Claim("Which client got the token (version 1)."),
    "appidacr": Claim("How that client proved itself: 0 not at all, 1 by secret, 2 by certificate (version 1)."),
    "app_displayname": Claim("The client's name."),
    "idtyp": Claim("`app`: an application's own token, no person behind it."),
    "upn": Claim("The name that they sign in with; not a key."),
    "unique_name": Claim("A name to show (version 1); not a key."),
    "ipaddr": Claim("The address that the person came from."),
    "login_hint": Claim("What to send as `login_hint` or `logout_hint` to mean this very account."),
    "tfp": Claim("The B2C policy that was gone through.", "It is one that you expect."),
    "emails": Claim("The customer's addresses."),
    "newUser": Claim("The customer signed up just now."),
    "xms_cc": Claim("What the client can do: `cp1` understands claims challenges."),
    "xms_ftd": Claim("For Microsoft's own use."),
    "xms_edov": Claim("Whether the owner of the e-mail's domain was verified.", "It is true before you use `email`."),
    "hasgroups": Claim("There are too many groups to list: ask Graph."),
    "_claim_names": Claim("Which claims are kept elsewhere, because there were too many."),
    "_claim_sources": Claim("Where those are to be had."),
    "ctry": Claim("The person's country."),
    "tenant_ctry": Claim("The organisation's country."),
    "acct": Claim("0 a member, 1 a guest."),
    "verified_primary_email": Claim("Addresses of a verified domain."),
    "aio": Claim("Opaque, for Entra's own use."),
    "rh": Claim("Opaque, for Entra's own use."),
    "uti": Claim("This token's own id."),
    "jti": Claim("This token's own id.", "The authority may refuse one that it has seen."),
}
UNKNOWN = Claim("Not explained here: a claim of this application's own, or one that a client put into its assertion.")
"""B2C's `extension_…` are of this kind."""
TIMES = frozenset({"iat", "nbf", "exp", "auth_time"})
