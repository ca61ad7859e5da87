"""The run log: what the gateway needs of one, and its three kinds (memory, SQLite, Redis)."""
