// openid-client, unmodified: discovers, sends the person, redeems, verifies by the published keys, asks userinfo, renews.
// On standard input a line of JSON with the settings, then the address at which the person arrived.
import { createInterface } from "node:readline";
import * as client from "openid-client";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const next = async () => (await lines.next()).value;
const say = (outcome) => process.stdout.write(JSON.stringify(outcome) + "\n");

const { issuer, id, secret, redirect, scope } = JSON.parse(await next());
// The pages for people are on plain HTTP at loopback, which this client refuses unless told; all else here is HTTPS.
const config = await client.discovery(new URL(issuer), id, secret, undefined, { execute: [client.allowInsecureRequests] });
client.enableNonRepudiationChecks(config);

const pkceCodeVerifier = client.randomPKCECodeVerifier();
const [expectedState, expectedNonce] = [client.randomState(), client.randomNonce()];
const wanted = {
  redirect_uri: redirect,
  scope,
  code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
  code_challenge_method: "S256",
  state: expectedState,
  nonce: expectedNonce,
};
say({ url: client.buildAuthorizationUrl(config, wanted).href });

const checks = { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true };
const tokens = await client.authorizationCodeGrant(config, new URL(await next()), checks);
const claims = tokens.claims();
const person = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
const renewed = await client.refreshTokenGrant(config, tokens.refresh_token);
const end = client.buildEndSessionUrl(config, { post_logout_redirect_uri: redirect });
say({ claims, person, renewed: renewed.claims().sub, fresh: renewed.access_token !== tokens.access_token, end: end.href });
process.exit(0);
