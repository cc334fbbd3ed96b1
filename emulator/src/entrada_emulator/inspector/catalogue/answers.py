"""What each member of an answer is for: what the browser carries back, and what the token endpoint says."""

from entrada_emulator.inspector.catalogue.parameters import Parameter, Parameters

ERROR = Parameter("The standard word for what went wrong; a program may decide by it.", "With a refusal")
DESCRIPTION = Parameter("The same for people who look into it, with the code to look up. Programs don't read it.")

CARRIED_BACK: Parameters = {
    "code": Parameter(
        "The one-time code. By itself it opens nothing: the application redeems it with its own proof.",
        "With success",
        "marked",
    ),
    "state": Parameter(
        "The application's own value, unchanged. It must check that it is the one it kept for this browser.",
        "Where the request had one",
        "compared",
    ),
    "session_state": Parameter("Names the session at Entra, for applications that watch whether it goes on."),
    "client_info": Parameter("Who signed in, for MSAL's key of the account; no proof of anything."),
    "error": ERROR,
    "error_description": DESCRIPTION,
    "error_uri": Parameter("A page about the code."),
    "error_subcode": Parameter("`cancel`: the person gave up."),
    "admin_consent": Parameter("Whether an administrator agreed for everybody."),
    "tenant": Parameter("For which organisation. The application must not believe it without a sign-in."),
    "scope": Parameter("What was agreed to."),
}

TOKENS: Parameters = {
    "token_type": Parameter("How the access token is to be presented: `Authorization: Bearer …`."),
    "scope": Parameter("What was granted: less may come than was asked for."),
    "expires_in": Parameter("For how many seconds the access token is good."),
    "ext_expires_in": Parameter("How long it might be used in an outage; MSAL keeps it."),
    "refresh_in": Parameter("After how many seconds to renew it, though it is still good."),
    "access_token": Parameter(
        "The key to one API. To the application it is opaque: it is the API that reads and checks it.",
        secrecy="marked",
    ),
    "id_token": Parameter(
        "Tells the application who signed in, where, when and how. It is for the application alone; never send it to "
        "an API.",
        secrecy="marked",
    ),
    "refresh_token": Parameter(
        "Gets new tokens later, without the person. Only the client that got it may use it.", secrecy="marked"
    ),
    "refresh_token_expires_in": Parameter("For how many seconds the refresh token is good."),
    "client_info": Parameter("Who signed in, for MSAL's key of the account; no proof of anything."),
    "error": ERROR,
    "error_description": DESCRIPTION,
    "error_codes": Parameter("The AADSTS codes; the same number as in the description."),
    "timestamp": Parameter("When it was refused."),
    "trace_id": Parameter("This very request, for whoever runs the service."),
    "correlation_id": Parameter("The client's id for the request, or one made for it."),
    "error_uri": Parameter("A page about the code."),
    "suberror": Parameter("A finer word: what the client may do about it."),
    "claims": Parameter("A challenge: send it along with the next authorization request."),
    "device_code": Parameter("What the device polls with; it never shows it.", secrecy="marked"),
    "user_code": Parameter("What the device shows and the person types.", secrecy="marked"),
    "verification_uri": Parameter("Where the person types it."),
    "verification_url": Parameter("Where the person types it."),
    "interval": Parameter("Seconds between two polls."),
    "message": Parameter("The same as a sentence for people.", secrecy="hidden"),
    "expires_on": Parameter("When the access token ends, in seconds since 1970."),
    "not_before": Parameter("From when on it is good, in seconds since 1970."),
    "resource": Parameter("For which API it is."),
    "id_token_expires_in": Parameter("For how many seconds the ID token is good."),
    "profile_info": Parameter("B2C's summary of the customer; no proof of anything."),
}
