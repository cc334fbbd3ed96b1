"""What one refusal of the authority means, and the words and places that many of them share."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Meaning:
    """One refusal in plain words."""

    cause: str
    """What happened, for the person at the browser."""
    mend: str
    """What that person can do."""
    operator: str
    """What happened, for the application's operator; not for the page."""
    page: str = ""
    """Where in the Microsoft Entra admin center it is looked at or mended; empty where nothing there helps."""
    setting: str = ""
    """Which of our settings has to do with it."""

    @property
    def where(self) -> str:
        """Where to look or mend, for whoever runs the application; empty where there is nothing to mend."""
        setting = f"ENTRADA_{self.setting.upper()}" if self.setting else ""
        return "; ".join(each for each in (self.page, setting) if each)


TELL = "Please tell the people who run this application."
AGAIN = "Please sign in again."
ADMIN = "Please ask your organisation's administrator."
OTHER = "Sign in with another account."
LATER = "Please try again in a moment."
WHENEVER = "You can start again whenever you like."
REGISTRATION = "This application is not set up correctly at the sign-in service."
BUSY = "The sign-in service had a problem."
SECOND = "A second proof of who you are is needed."
RULES = "Your organisation's rules do not allow this sign-in."
GRANT = "Sign in again and grant it, or ask your organisation's administrator."

APPLICATION = "App registrations › the application"
OVERVIEW = f"{APPLICATION} › Overview"
AUTHENTICATION = f"{APPLICATION} › Authentication"
SECRETS = f"{APPLICATION} › Certificates & secrets"
PERMISSIONS = f"{APPLICATION} › API permissions"
MANIFEST = f"{APPLICATION} › Manifest"
EXPOSE = "App registrations › the API › Expose an API"
ROLES = "App registrations › the API › App roles"
ENTERPRISE = "Enterprise applications › the application › Properties"
ASSIGNMENT = "Enterprise applications › the application › Users and groups"
CONSENT_SETTINGS = "Enterprise applications › Consent and permissions"
USERS = "Users › the person"
METHODS = "Users › the person › Authentication methods"
REVOKED = "Users › the person › Revoke sessions"
GUESTS = "External Identities › All identity providers; Users › Invite external user"
ACROSS = "External Identities › Cross-tenant access settings"
CONDITIONAL_ACCESS = "Conditional Access › Policies"
DEVICES = "Devices › All devices"
SIGN_IN_LOGS = "Monitoring & health › Sign-in logs"
HEALTH = "Monitoring & health › Service health"
TENANT = "Overview › the tenant's id"
B2C_APPLICATION = "Azure AD B2C › App registrations › the application"
B2C_AUTHENTICATION = f"{B2C_APPLICATION} › Authentication"
B2C_SECRETS = f"{B2C_APPLICATION} › Certificates & secrets"
B2C_PERMISSIONS = f"{B2C_APPLICATION} › API permissions"
B2C_FLOWS = "Azure AD B2C › User flows"
B2C_PAGES = "Azure AD B2C › User flows › the flow › Page layouts"
B2C_CONNECTORS = "Azure AD B2C › API connectors"
B2C_PROVIDERS = "Azure AD B2C › Identity providers"
B2C_USERS = "Azure AD B2C › Users › the person"
B2C_LOGS = "Azure AD B2C › Audit logs"
