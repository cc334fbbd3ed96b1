"""What can go wrong at the authority is documented from the same table that the pages and logs use."""

from entrada.provider.meanings import MEANINGS
from tests.golden.golden import check

# ruff: noqa: E501 - a table in Markdown has long lines
HEAD = """# What can go wrong

The start is refused with a list of settings; each line names the setting and says how to mend it ([settings](settings.md)).
At sign-in a page says what happened, what the person can do, and a reference; the log line with the same `correlation_id` says more.

## When you start

| what you see | why | what to do |
|---|---|---|
| `tenant_id: missing` and others like it | a setting is missing, misspelt or unsafe | as the line says |
| "its certificate is refused (…)" in the log | as the brackets say; a proxy that looks into TLS, or a provider of your own, has a private authority | its certificate, in PEM, into `ENTRADA_CA_FILE`. Python 3.13 and newer hold every certificate to RFC 5280 (`VERIFY_X509_STRICT`): the authority's must have `basicConstraints` marked critical and a key usage, and each the key identifiers; older Pythons took it without |
| `setting_in_doubt` in the log | a setting is probably not what was meant | as the line says; nothing, where it is meant |
| `session_cookie_not_secure` in the log | the application is served over plain http | right for development; production refuses it |
| `public_client` in the log | no secret, certificate or other credential is set | right for a public client and for an API that signs nobody in; else set `AZURE_CLIENT_SECRET` |
| `limits_off` in the log | `ENTRADA_LIMITS=false` in production | take it away, unless a layer in front limits requests by rate ([guards](guards.md)) |
| `client_secret_alone` in the log | in production a client secret is the only credential | a certificate or a workload's identity, which nobody can copy out of an environment ([credentials](credentials.md)); nothing, where that is no risk |
| `/ready` answers 503 | the authority's documents or the store cannot be had | the log says which (`not_ready`) |
| `/ready` says no more than `ready` | in production the rest is for who may read the numbers | send the token of `metrics_token`; the log and the console's page *System* say the same |
| `/ready` says `"failing": ["users"]` | the users' database cannot be had: nobody signs in, who is in goes on | the log says why (`users_database_not_reached`) |
| "not served under this name", 400 | the request is for another host than `base_url` | set `ENTRADA_BASE_URL` to the address that people type, name further hosts in `ENTRADA_HOSTS`; a test client needs `base_url=` |
| `another_port` in the log, or nobody at the address that people come back to | the server listens on another port than `base_url` says | `ENTRADA_BASE_URL=http://localhost:PORT` |
| `below_a_path` in the log | the application stands below a path | a host name of its own ([running](running.md)) |
| `life_span_not_run` in the log; in production each answer is 503 | the application's life span was not run, in which much begins | as the line says: your own life span into `FastAPI(lifespan=…)`, Entrada on the outermost application, no `--lifespan off`, `with TestClient(app)` in tests |
| `TypeError` with the path of a route | its guard is written so that nobody would be asked, or nobody let in | as the line says |
| "an alias such as CurrentUser annotates a parameter" | `dependencies=[CurrentUser]` | `dependencies=[Depends(current_user)]` or `[requires()]` |
| "has no attribute 'dependency'" of `str` or a union | `dependencies=[CsrfToken]` or `[OptionalUser]` | nothing: both only tell a function something, and forbid nobody anything |
| "'function' object has no attribute 'dependency'" | `dependencies=[current_user]` or `[requires]` | `[Depends(current_user)]`, `[requires()]` |
| "Invalid args for response field" with `entrada.requirements.Rule` | `Depends(requires)`, or a rule in `Depends(…)` | `requires(…)` with the rules, and no `Depends` around it |
| "`__init__()` missing 2 required positional arguments: 'issuer' and 'subject'" | `CurrentUser()` | `user: CurrentUser`, without brackets |
| `sessions_in_memory` in the log | `ENTRADA_STORE=memory:` | right for one worker in development; else leave it out |
| the browser comes back to "cannot be finished" | the cookie of the attempt did not come back | use the host name of `base_url` to open the application, and allow cookies |
| opening one application on this machine signs out of another | both are `localhost`, and cookies know no ports | one of them in another browser profile; where each has a host name of its own, as everywhere but here, it is not so |
| a WebSocket in a test is closed with 1008 and no word | it came to the host `testserver`; the log says it | `client.websocket_connect("ws://localhost:8000/…")` |
| "could not be verified", `kid: no key of the authority` in the log | the authority has new keys, and was asked for them less than five minutes ago: an emulator that was started anew, twice | start the application again, or wait |
| "A permission is missing", `insufficient_scope` | `api_client` names a scope that sign-in does not ask for | add it to `ENTRADA_SCOPES`; people sign in again to grant it |

## What the authority says

Generated from `src/entrada/provider/meanings/`; `make golden` writes it anew. `entrada explain AADSTS50011` says the same on the command line, and in development
the error page does. In production the page shows the code and what the person can do; the rest is in the log.

The pages are those of the [Microsoft Entra admin center](https://entra.microsoft.com), for B2C of the Azure portal.

| code | what the person reads | what happened | where to look or mend | setting |
|---|---|---|---|---|
"""


def test_refusals_are_documented_from_the_code() -> None:
    """Each refusal with words of its own has a row."""
    rows = [
        f"| `{code}` | {each.cause} {each.mend} | {each.operator} | {each.page} | {_setting(each.setting)} |"
        for code, each in MEANINGS.items()
    ]
    check("docs/troubleshooting.md", HEAD + "\n".join(rows))


def _setting(name: str) -> str:
    return f"`{name}`" if name else ""
