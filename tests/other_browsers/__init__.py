"""The scenarios in browsers other than Chromium, spoken to by their own protocols."""
