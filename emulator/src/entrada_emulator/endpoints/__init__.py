"""One module per endpoint; each offers its `routes`."""
