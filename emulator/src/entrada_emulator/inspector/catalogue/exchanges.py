"""What each step of a flow is, as a title and a sentence."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Told:
    """A title for the arrow, and a sentence for whoever opens it."""

    title: str
    text: str = ""


GRANTS = {
    "authorization_code": Told(
        "Redeems the code",
        "On the back channel, past the browser: the application shows the code and proves that it is the one the "
        "code was issued to.",
    ),
    "refresh_token": Told(
        "Uses the refresh token", "The person need not be there; the application asks in their name."
    ),
    "client_credentials": Told("Asks for a token of its own", "No person is involved: the application is the caller."),
    "urn:ietf:params:oauth:grant-type:jwt-bearer": Told(
        "Asks on behalf of its caller",
        "An API that was called for a person calls the next one for the same person.",
    ),
    "urn:ietf:params:oauth:grant-type:device_code": Told(
        "Asks whether the person has signed in", "The device has no browser; it polls until somebody has confirmed."
    ),
    "device_code": Told("Asks whether the person has signed in", "The device polls until somebody has confirmed."),
    "password": Told("Sends name and password", "The application has seen the password; avoid this grant."),
}
PAGES = {
    "accounts": Told("Page: pick an account", "Several people, or one who may not be meant, are signed in here."),
    "username": Told("Page: who are you?", "Nobody is signed in at this browser who could be meant."),
    "password": Told("Page: password", "The first proof."),
    "enrol": Told("Page: set up an authenticator", "A second factor is needed and none is set up yet."),
    "code": Told("Page: code of the authenticator", "The second proof."),
    "push": Told("Page: approve on the phone", "The second proof, on the emulated phone."),
    "blocked": Told("Page: blocked by policy", "A Conditional Access policy lets nobody in here."),
    "kmsi": Told("Page: stay signed in?", "Decides how long the single sign-on cookie lasts."),
    "need_admin": Told("Page: an administrator is needed", "A permission that this person may not give by themselves."),
    "consent": Told("Page: permissions requested", "Nobody has agreed yet to what the application asks for."),
    "device": Told("Page: is this your device?", "The person confirms that the waiting device is theirs."),
    "device_code": Told("Page: the device's code", "The person types what the device shows."),
    "device_done": Told("Page: done", "The device learns of it when it polls next."),
    "lost": Told("Page: this sign-in is over", "Or it began in another browser: here nobody can go on with it."),
    "signed_out": Told("Page: signed out", "The session at Entra is over."),
    "logout_accounts": Told("Page: which account?", "Several people are signed in and the request named none."),
    "b2c_sign_in": Told("Page: sign in or sign up", "B2C asks for address and password."),
    "b2c_email": Told("Page: your address", "A code will be mailed there."),
    "b2c_verify": Told("Page: the mailed code", "Shows that the address is the customer's."),
    "b2c_details": Told("Page: a new account", "Name and password of a new customer."),
    "b2c_new_password": Told("Page: a new password"),
    "b2c_profile": Told("Page: edit profile"),
}
ANSWERS = {
    "next": "Types a user name",
    "person": "Picks a person of the directory",
    "account": "Picks an account",
    "another": "Wants another account",
    "password": "Types a password",
    "enrol": "Types the first code of the authenticator",
    "code": "Types a code",
    "push": "Wants to approve on the phone",
    "totp": "Wants to type a code",
    "check": "Says that the phone has approved",
    "resend": "Wants another request on the phone",
    "yes": "Stays signed in",
    "no": "Does not stay signed in",
    "accept": "Agrees to the permissions",
    "decline": "Declines the permissions",
    "cancel": "Cancels",
    "confirm": "Confirms the device",
    "back": "Goes back",
    "sign_in": "Types address and password",
    "sign_up": "Wants to sign up",
    "forgot": "Forgot the password",
    "send": "Asks for a mailed code",
    "change": "Changes the address",
    "verify": "Types the mailed code",
    "create": "Signs up",
    "save": "Saves",
}
LEAVES = Told(
    "Sends the browser to Entra",
    "The application makes a state, a nonce and a proof key, keeps them for this browser, and redirects. Entra does "
    "not see this step; it follows from the next one.",
)
AUTHORIZE = Told("Authorization request", "The browser arrives with what the application asks for, all in the address.")
ADMIN = Told("Request for the organisation's consent", "An administrator is to agree for everybody.")
BACK = Told("Redirects back with a code", "The answer goes through the browser, so it is a code and no token.")
MODES = {
    "query": "In the query of the address: it may be in logs, which is why the code is good once and for minutes.",
    "form_post": "In a form that the page posts by itself: it is in no address, and so in no log or history.",
    "fragment": "Behind the `#` of the address: no server sees it, only a script on the application's page.",
}
BACK_REFUSED = Told("Redirects back with an error", "The application learns what went wrong, in standard words.")
BACK_ADMIN = Told("Redirects back with the organisation's answer")
CARRIES = Told(
    "The browser carries it to the application",
    "The application compares `state` with what it kept for this browser. Entra does not see this step.",
)
TOKENS = Told("Tokens", "For the application alone. It verifies the ID token before it believes a word of it.")
REFUSED = Told("Refused", "In JSON; a client decides by `error` and shows nobody the rest.")
ERROR_PAGE = Told(
    "Error page",
    "Entra shows this itself: it could not be sure whose address the redirect URI is, or what is asked for.",
)
LOGOUT = Told("Sign-out request", "The application has ended its own session; now the one at Entra is to end.")
LOGOUT_LEAVES = Told("Sends the browser to sign out", "Entra does not see this step; it follows from the next one.")
LOGOUT_PICKED = Told("Picks the account to sign out")
LOGOUT_BACK = Told("Leads back to the application", "To the registered address, with the request's state.")
TELLS = Told(
    "Tells the other applications in hidden frames",
    "Front-channel logout: the browser loads an address of each application that the session was used for. `sid` names "
    "the session that ends, `iss` who says so. Whether it loads them, Entra does not see.",
)
DEVICE = Told("Asks for a device code", "A device without a browser begins a sign-in that goes on elsewhere.")
DEVICE_ANSWER = Told("A code to show and one to poll with")
DEVICE_TYPED = Told("Types the device's code", "On any device with a browser.")
GRAPH = Told("Calls Microsoft Graph", "With the access token of this flow; Graph checks it on every call.")
GRAPH_ANSWER = Told("Graph answers")
GRAPH_REFUSES = Told("Graph refuses")
BROKEN = Told("Broken on request", "The control API asked for this fault.")
OTHER = Told("Answer")
PENDING = Told("Not yet", "The person has not confirmed: the device polls again after the interval.")
WAITS = "authorization_pending"
TOKEN_REQUEST = Told("Token request", "The client offers something in exchange for tokens.")
BY_SCRIPT = "A script in the browser asked: the request has an Origin header."
SPOILT = "The control API asked for an ID token that is wrong; the application must refuse it:"
FRAMES = Told(
    "The browser loads the frames",
    "Each application ends the session that `sid` names. Entra does not see this step.",
)
