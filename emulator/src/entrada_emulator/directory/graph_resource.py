"""Microsoft Graph as a resource application, present in every tenant."""

from entrada_emulator.directory.model import GRAPH_APP_ID, Application, AppRole, Scope

OIDC_SCOPES = ("openid", "profile", "email", "offline_access")
"""The scopes of OpenID Connect; Entra treats them as permissions on Graph."""

GRAPH = Application(
    client_id=GRAPH_APP_ID,
    tenant_id="f8cdef31-a31e-4b4a-93e4-5f571e91255a",
    display_name="Microsoft Graph",
    multi_tenant=True,
    identifier_uris=("https://graph.microsoft.com",),
    scopes=(
        Scope("openid", "Sign you in"),
        Scope("profile", "See your basic profile"),
        Scope("email", "See your email address"),
        Scope("offline_access", "Keep access to data you have given it access to"),
        Scope("User.Read", "Sign you in and read your profile"),
        Scope("User.ReadWrite", "Read and change your profile"),
        Scope("User.ReadBasic.All", "Read the basic profiles of all people"),
        Scope("User.Read.All", "Read the full profiles of all people", admin_only=True),
        Scope("Group.Read.All", "Read all groups", admin_only=True),
        Scope("GroupMember.Read.All", "Read group memberships", admin_only=True),
        Scope("Directory.Read.All", "Read directory data", admin_only=True),
        Scope("User.RevokeSessions.All", "End all sign-ins of people", admin_only=True),
        Scope("Mail.Read", "Read your mail"),
        Scope("Calendars.Read", "Read your calendars"),
    ),
    app_roles=(
        AppRole("User.Read.All", "Read the full profiles of all people", ("Application",)),
        AppRole("Group.Read.All", "Read all groups", ("Application",)),
        AppRole("GroupMember.Read.All", "Read group memberships", ("Application",)),
        AppRole("Directory.Read.All", "Read directory data", ("Application",)),
        AppRole("User.RevokeSessions.All", "End all sign-ins of people", ("Application",)),
    ),
    access_token_version=1,
    optional_access_claims=("xms_cc",),
    kind="api",
)
