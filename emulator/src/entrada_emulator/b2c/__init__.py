"""Azure AD B2C: customers, user flows as policies, and the endpoints, pages, tokens and errors of each policy."""
