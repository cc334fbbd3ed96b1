// The half that signs in by itself: MSAL Browser has the tokens in this page's memory and nowhere else.

import { BrowserCacheLocation, CacheLookupPolicy, PublicClientApplication } from "@azure/msal-browser";
import { forget, half, happened, inWords, say } from "/static/page.js";

const spa = half("spa");
const { client, authority, endpoints, scope, api } = document.getElementById("spa").dataset;
const here = `${location.origin}/spa`;

// The emulator's own https is not trusted by browsers, so its http addresses are named. At Microsoft MSAL finds them.
const elsewhere = {
  issuer: `${authority}/v2.0`,
  jwks_uri: `${endpoints}/discovery/v2.0/keys`,
  authorization_endpoint: `${endpoints}/oauth2/v2.0/authorize`,
  token_endpoint: `${endpoints}/oauth2/v2.0/token`,
  end_session_endpoint: `${endpoints}/oauth2/v2.0/logout`,
};

// Where MSAL keeps tokens in memory only, it signs in by a window of its own: a redirect would end this page's memory.
const msal = new PublicClientApplication({
  auth: {
    clientId: client,
    authority,
    knownAuthorities: [new URL(authority).host],
    authorityMetadata: endpoints === authority ? "" : JSON.stringify(elsewhere),
    redirectUri: here,
    postLogoutRedirectUri: here,
  },
  cache: { cacheLocation: BrowserCacheLocation.MemoryStorage },
  system: { popupBridgeTimeout: 10 * 60_000 }, // people look for their phones
});

// By refresh token, never by a hidden frame: where browsers block other sites' cookies a frame learns nothing.
const silently = { scopes: [scope], cacheLookupPolicy: CacheLookupPolicy.AccessTokenAndRefreshToken };

function show(token) {
  const account = msal.getActiveAccount();
  spa("who").textContent = account ? `Signed in as ${account.name}` : "Not signed in";
  spa("in").hidden = Boolean(account);
  for (const name of ["ask", "renew", "out"]) spa(name).hidden = !account;
  spa("reach").textContent = token ? `the access token, to use anywhere until ${clock(token.expiresOn)}` : "nothing yet";
}

const clock = (date) => date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });

async function signIn() {
  const last = msal.getActiveAccount();
  forget(21, 38);
  say(spa, "Waiting for the window in which you sign in.");
  const signedIn = msal.loginPopup({ scopes: [scope], loginHint: last?.username, overrideInteractionInProgress: true });
  const [token] = await Promise.all([signedIn, happened(21, 22, 23, 24)]);
  msal.setActiveAccount(token.account);
  show(token);
  say(spa, "");
  await happened(25, 26, 27, 28, 29);
}

async function signOut() {
  const account = msal.getActiveAccount();
  msal.setActiveAccount(null);
  forget(21, 38);
  show(null);
  say(spa, "The tokens are forgotten; the window ends your sign-in at Microsoft too.");
  await msal.logoutPopup({ account });
  say(spa, "Signed out here, and at Microsoft if you let the window finish.");
}

async function ask(forceRefresh) {
  forget(30, 38);
  const token = await msal.acquireTokenSilent({ ...silently, forceRefresh });
  show(token);
  if (!token.fromCache) await happened(34, 35);
  happened(token.fromCache ? 30 : 36);
  const answer = await fetch(`${api}/protected`, { headers: { Authorization: `Bearer ${token.accessToken}` } });
  if (!answer.ok) throw new Error(answer.headers.get("WWW-Authenticate") ?? `The API answered ${answer.status}.`);
  await happened(...(token.fromCache ? [31, 32, 33] : [37, 38]));
  say(spa, `${inWords(await answer.json())} The token ${token.fromCache ? "came from memory" : "was renewed for this"}.`);
}

function failed(fault) {
  if (fault.errorCode === "interaction_in_progress_cancelled") return; // pressed again: the newer window counts
  if (fault.errorCode === "popup_window_error") return say(spa, "The browser blocked the window. Allow it and press again.");
  if (fault.name !== "InteractionRequiredAuthError") return say(spa, `${fault.message}`);
  spa("in").hidden = false;
  say(spa, "The refresh token has ended: a page's lives for 24 hours. Sign in again; Microsoft still knows you.");
}

const presses = { in: signIn, ask: () => ask(false), renew: () => ask(true), out: signOut };
for (const [name, does] of Object.entries(presses)) spa(name).addEventListener("click", () => does().catch(failed));
await msal.initialize();
spa("in").disabled = false;
