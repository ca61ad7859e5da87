"""One module per kind of endpoint: how to ask, what its payloads mean. Standard library only."""
