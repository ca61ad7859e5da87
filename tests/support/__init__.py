"""What several kinds of tests need: processes of ours, and a network that breaks on demand."""
