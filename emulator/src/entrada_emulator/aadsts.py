# ruff: noqa: E501
"""The table of AADSTS codes: the OAuth word, the sentence, status and suberror of each.

Sources: Microsoft's reference of error codes, and bodies recorded from the real service.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one AADSTS code means on the wire."""

    error: str
    text: str
    status: int = 400
    suberror: str | None = None
    has_page: bool = False


CODES: dict[int, Meaning] = {
    16000: Meaning(
        "interaction_required",
        "Either multiple user identities are available for the current request or selected account is not supported for the scenario.",
    ),
    50011: Meaning(
        "invalid_request",
        "The redirect URI '{redirect_uri}' specified in the request does not match the redirect URIs configured for the application '{client_id}'.",
        has_page=True,
    ),
    50012: Meaning("invalid_client", "Authentication failed. [Reason - {reason}.]", status=401, has_page=True),
    50013: Meaning("invalid_grant", "Assertion failed signature validation. [Reason - {reason}.]", has_page=True),
    50020: Meaning(
        "invalid_request",
        "User account '{user}' from identity provider '{idp}' does not exist in tenant '{tenant}' and cannot access the application '{client_id}' in that tenant.",
    ),
    50034: Meaning(
        "invalid_grant", "The user account {user} does not exist in the {tenant} directory.", suberror="bad_token"
    ),
    50048: Meaning("invalid_client", "Subject mismatches Issuer claim in the client assertion.", status=401),
    50049: Meaning("invalid_instance", "Unknown or invalid instance."),
    50053: Meaning(
        "invalid_grant",
        "The account is locked, you've tried to sign in too many times with an incorrect user ID or password.",
    ),
    50055: Meaning("invalid_grant", "The password is expired.", suberror="user_password_expired"),
    50057: Meaning("invalid_grant", "The user account is disabled.", has_page=True),
    50058: Meaning("login_required", "A silent sign-in request was sent but no user is signed in.", has_page=True),
    50074: Meaning(
        "interaction_required", "Strong Authentication is required.", suberror="basic_action", has_page=True
    ),
    50076: Meaning(
        "invalid_grant",
        "Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication to access '{resource}'.",
        suberror="basic_action",
        has_page=True,
    ),
    50078: Meaning(
        "invalid_grant",
        "Presented multi-factor authentication has expired due to policies configured by your administrator, you must refresh your multi-factor authentication to access '{resource}'.",
        suberror="basic_action",
    ),
    50079: Meaning(
        "invalid_grant",
        "Due to a configuration change made by your administrator, or because you moved to a new location, you must enroll in multi-factor authentication to access '{resource}'.",
        suberror="basic_action",
        has_page=True,
    ),
    50105: Meaning(
        "interaction_required",
        "Your administrator has configured the application {application} ('{client_id}') to block users unless they are specifically granted ('assigned') access to the application.",
        has_page=True,
    ),
    50126: Meaning("invalid_grant", "Error validating credentials due to invalid username or password.", has_page=True),
    50147: Meaning("invalid_grant", "Invalid size of Code_Challenge parameter."),
    50173: Meaning(
        "invalid_grant",
        "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have changed or reset their password. The grant was issued on '{issued}' and the TokensValidFrom date (before which tokens are not valid) for this user is '{valid_from}'.",
        suberror="bad_token",
        has_page=True,
    ),
    50194: Meaning(
        "invalid_request",
        "Application '{client_id}'({application}) is not configured as a multi-tenant application. Usage of the /common endpoint is not supported for such apps created after '10/15/2018'. Use a tenant-specific endpoint or configure the application to be multi-tenant.",
        has_page=True,
    ),
    50196: Meaning(
        "invalid_grant",
        "The server terminated an operation because it encountered a client request loop. Please contact your app vendor.",
    ),
    53000: Meaning(
        "invalid_grant",
        "Device is not in required device state: compliant. Conditional Access policy requires a compliant device, and the device is not compliant. The user must enroll their device with an approved MDM provider like Intune.",
    ),
    53001: Meaning(
        "invalid_grant",
        "Device is not in required device state: domain_joined. Conditional Access policy requires a domain joined device, and the device is not domain joined.",
    ),
    53003: Meaning(
        "access_denied",
        "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.",
        suberror="message_only",
        has_page=True,
    ),
    54005: Meaning(
        "invalid_grant",
        "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token.",
    ),
    65001: Meaning(
        "invalid_grant",
        "The user or administrator has not consented to use the application with ID '{client_id}' named '{application}'. Send an interactive authorization request for this user and resource.",
        suberror="consent_required",
        has_page=True,
    ),
    65004: Meaning("access_denied", "User declined to consent to access the app.", has_page=True),
    70000: Meaning("invalid_grant", "Provided grant is invalid or malformed.", suberror="bad_token", has_page=True),
    70003: Meaning("unsupported_grant_type", "The app requested an unsupported grant type '{grant_type}'."),
    70005: Meaning("unsupported_response_type", "The response_type '{response_type}' is not supported."),
    70008: Meaning(
        "invalid_grant",
        "The provided authorization code or refresh token has expired due to inactivity. Send a new interactive authorization request for this user and resource.",
        has_page=True,
    ),
    70011: Meaning(
        "invalid_scope",
        "The provided value for the input parameter 'scope' is not valid. The scope '{scope}' is not valid.",
    ),
    70016: Meaning("authorization_pending", "OAuth 2.0 device flow error. Authorization is pending. Continue polling."),
    70018: Meaning(
        "bad_verification_code",
        "Invalid verification code due to User typing in wrong user code for device code flow. The device code is not valid.",
        has_page=True,
    ),
    70019: Meaning(
        "expired_token",
        "Verification code expired. The device code has expired, let the person begin anew.",
        has_page=True,
    ),
    70043: Meaning(
        "invalid_grant",
        "The refresh token has expired or is invalid due to sign-in frequency checks by conditional access. The token was issued on {issued} and the maximum allowed lifetime for this request is {longest}.",
        suberror="bad_token",
        has_page=True,
    ),
    90002: Meaning(
        "invalid_tenant",
        "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.",
        has_page=True,
    ),
    90005: Meaning(
        "invalid_request",
        "Unable to process the request. The request is not valid because prompt=select_account cannot be used with a login hint.",
    ),
    90014: Meaning(
        "invalid_request",
        "The required field '{parameter}' is missing from the credential. Ensure that you have all the necessary parameters for the login request.",
        has_page=True,
    ),
    90023: Meaning("invalid_request", "Invalid request: {reason}.", has_page=True),
    90094: Meaning(
        "consent_required",
        "An administrator of {tenant} has set a policy that prevents you from granting {application} the permissions it is requesting. Contact an administrator of {tenant}, who can grant permissions to this app on your behalf.",
        has_page=True,
    ),
    500011: Meaning(
        "invalid_resource",
        "The resource principal named {resource} was not found in the tenant named {tenant}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant.",
        has_page=True,
    ),
    500112: Meaning(
        "invalid_grant",
        "The reply address '{redirect_uri}' does not match the reply address provided when requesting Authorization code.",
        has_page=True,
    ),
    500131: Meaning(
        "invalid_grant",
        "Assertion audience does not match the Client app presenting the assertion. The audience in the assertion was '{audience}' and the expected audience is one of the Application Uris of this application with App ID '{client_id}'({application}). The downstream client must request a token for the expected audience (the application that made the OBO request) and this application should use that token as the assertion.",
    ),
    500133: Meaning(
        "invalid_grant",
        "Assertion is not within its valid time range. Ensure that the access token is not expired before using it for user assertion, or request a new token. Current time: {now}, expiry time of assertion {expires}.",
        has_page=True,
    ),
    501051: Meaning(
        "invalid_grant",
        "Application '{client_id}'({application}) is not assigned to a role for the application '{resource}'.",
    ),
    501481: Meaning(
        "invalid_grant", "The Code_Verifier does not match the code_challenge supplied in the authorization request."
    ),
    501491: Meaning("invalid_request", "Invalid size of Code_Challenge parameter."),
    700003: Meaning(
        "invalid_grant",
        "Device object was not found in the tenant '{tenant}' directory.",
        suberror="device_authentication_failed",
    ),
    700005: Meaning(
        "invalid_grant",
        "Provided Authorization Code is intended to use against other tenant, thus rejected.",
        has_page=True,
    ),
    700016: Meaning(
        "unauthorized_client",
        "Application with identifier '{client_id}' was not found in the directory '{tenant}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.",
        has_page=True,
    ),
    700021: Meaning(
        "invalid_client", "Client assertion application identifier doesn't match 'client_id' parameter.", status=401
    ),
    700022: Meaning(
        "invalid_scope",
        "The provided value for the input parameter scope is not valid because it contains more than one resource.",
    ),
    700023: Meaning(
        "invalid_scope",
        "The provided value for the input parameter scope is not valid because it contains no resource.",
    ),
    700024: Meaning(
        "invalid_client",
        "Client assertion is not within its valid time range. Current time: {now}, expiry time of assertion {expires}.",
        status=401,
        has_page=True,
    ),
    700025: Meaning(
        "invalid_client",
        "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.",
        status=401,
        has_page=True,
    ),
    700027: Meaning(
        "invalid_client",
        "The certificate with identifier used to sign the client assertion is not registered on application '{client_id}'. [Reason - {reason}.]",
        status=401,
        has_page=True,
    ),
    700038: Meaning("unauthorized_client", "'{client_id}' is not a valid application identifier."),
    700051: Meaning("unsupported_response_type", "response_type 'token' is not enabled for the application."),
    700054: Meaning(
        "unsupported_response_type", "response_type 'id_token' is not enabled for the application.", has_page=True
    ),
    700082: Meaning(
        "invalid_grant",
        "The refresh token has expired due to inactivity. The token was issued on {issued} and was inactive for 90.00:00:00.",
        suberror="bad_token",
        has_page=True,
    ),
    700084: Meaning(
        "invalid_grant",
        "The refresh token was issued to a single page app (SPA), and therefore has a fixed, limited lifetime of 1.00:00:00, which cannot be extended. It is now expired and a new sign in request must be sent by the SPA to the sign in page. The token was issued on {issued}.",
        suberror="bad_token",
        has_page=True,
    ),
    700211: Meaning(
        "invalid_client",
        "No matching federated identity record found for presented assertion issuer '{issuer}'. Please check your federated identity credential Subject, Audience and Issuer against the presented assertion. https://docs.microsoft.com/en-us/azure/active-directory/develop/workload-identity-federation",
        status=401,
    ),
    700212: Meaning(
        "invalid_client",
        "No matching federated identity record found for presented assertion audience '{audience}'. Please check your federated identity credential Subject, Audience and Issuer against the presented assertion. https://docs.microsoft.com/en-us/azure/active-directory/develop/workload-identity-federation",
        status=401,
    ),
    700213: Meaning(
        "invalid_client",
        "No matching federated identity record found for presented assertion subject '{subject}'. Please check your federated identity credential Subject, Audience and Issuer against the presented assertion. https://docs.microsoft.com/en-us/azure/active-directory/develop/workload-identity-federation",
        status=401,
    ),
    700229: Meaning(
        "invalid_client",
        "Only app-only tokens can be used as Federated Identity Credentials for Entra issuer.",
        status=401,
    ),
    900144: Meaning(
        "invalid_request", "The request body must contain the following parameter: '{parameter}'.", has_page=True
    ),
    900561: Meaning(
        "invalid_request", "The endpoint only accepts POST requests. Received a {method} request.", has_page=True
    ),
    900971: Meaning("invalid_request", "No reply address provided."),
    901002: Meaning("invalid_request", "The 'resource' request parameter is not supported."),
    7000112: Meaning("unauthorized_client", "Application '{client_id}'({application}) is disabled.", has_page=True),
    7000114: Meaning(
        "unauthorized_client", "Application '{client_id}' is not allowed to make application on-behalf-of calls."
    ),
    7000215: Meaning(
        "invalid_client",
        "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{client_id}'.",
        status=401,
        has_page=True,
    ),
    7000218: Meaning(
        "invalid_client",
        "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
        status=401,
        has_page=True,
    ),
    7000222: Meaning(
        "invalid_client",
        "The provided client secret keys for app '{client_id}' are expired. Visit the Azure portal to create new keys for your app, or consider using certificate credentials for added security.",
        status=401,
        has_page=True,
    ),
    9000411: Meaning(
        "invalid_request",
        "The request is not properly formatted. The parameter '{parameter}' is duplicated.",
        has_page=True,
    ),
    9001023: Meaning(
        "invalid_request",
        "The grant type is not supported over the /common or /consumers endpoints. Please use the /organizations or tenant-specific endpoint.",
    ),
    9002313: Meaning("invalid_request", "Invalid request. Request is malformed or invalid.", has_page=True),
    9002332: Meaning(
        "invalid_request",
        "Application '{client_id}'({application}) is configured for use by Azure Active Directory users only. Please do not use the /consumers endpoint to serve this request.",
        has_page=True,
    ),
    9002325: Meaning(
        "invalid_request",
        "Proof Key for Code Exchange is required for cross-origin authorization code redemption.",
        has_page=True,
    ),
    9002326: Meaning(
        "invalid_request",
        "Cross-origin token redemption is permitted only for the 'Single-Page Application' client-type. Request origin: '{origin}'.",
        has_page=True,
    ),
    9002327: Meaning(
        "invalid_request",
        "Tokens issued for the 'Single-Page Application' client-type may only be redeemed via cross-origin requests.",
    ),
}
