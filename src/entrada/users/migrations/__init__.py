"""The steps from each schema of the users' database to the next, run by Alembic at start."""
