// What msal-node does, unmodified: each task of the configuration on standard input, one line of JSON for each outcome.
import { readFileSync } from "node:fs";
import { ConfidentialClientApplication, PublicClientApplication } from "@azure/msal-node";

const { origin, tenant, tasks } = JSON.parse(readFileSync(0, "utf8"));
const knownAuthorities = [new URL(origin).host];
const claims = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url").toString());

const auth = (task) => ({ clientId: task.client, authority: `${origin}/${task.authority ?? tenant}`, knownAuthorities });
const confidential = (task) => new ConfidentialClientApplication({ auth: { ...auth(task), ...credential(task) } });
const credential = ({ secret, certificate, assertion }) =>
  certificate ? { clientCertificate: certificate } : assertion ? { clientAssertion: async () => assertion } : { clientSecret: secret };

const verbs = {
  async application(task) {
    return claims((await confidential(task).acquireTokenByClientCredential({ scopes: task.scopes })).accessToken);
  },
  async code(task) {
    const app = confidential(task);
    const request = { code: task.code, scopes: task.scopes, redirectUri: task.redirect };
    const first = await app.acquireTokenByCode(request);
    const account = first.account;
    const cached = await app.acquireTokenSilent({ account, scopes: task.scopes });
    const renewed = await app.acquireTokenSilent({ account, scopes: task.scopes, forceRefresh: true });
    return { ...first.idTokenClaims, home: account.homeAccountId, cached: cached.fromCache, renewed: !renewed.fromCache };
  },
  async obo(task) {
    const request = { oboAssertion: task.received, scopes: task.scopes };
    return claims((await confidential(task).acquireTokenOnBehalfOf(request)).accessToken);
  },
  async device(task) {
    const app = new PublicClientApplication({ auth: auth(task) });
    const deviceCodeCallback = (shown) => say("shown", { user_code: shown.userCode });
    return (await app.acquireTokenByDeviceCode({ scopes: task.scopes, deviceCodeCallback })).idTokenClaims;
  },
  async password(task) {
    const app = new PublicClientApplication({ auth: auth(task) });
    return (await app.acquireTokenByUsernamePassword(task)).idTokenClaims;
  },
};

function say(name, outcome) {
  process.stdout.write(JSON.stringify({ name, outcome }) + "\n");
}

for (const task of tasks) {
  try {
    say(task.name, await verbs[task.verb](task));
  } catch (failure) {
    say(task.name, { error: failure.errorCode, suberror: failure.subError, message: String(failure.message) });
  }
}
