"""One run: from the upstream into the log, and from the log to its readers."""
