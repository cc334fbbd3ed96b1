"""Example D: an API for the customers of an Azure AD B2C tenant."""
