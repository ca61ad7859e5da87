"""Model servers that play what a test says."""
