"""Every scenario of the promise in one table, played in a real browser and scored: `python -m tests.browser.scenarios`.

docs/scenarios.md says how they are scored and holds the last table that was printed.
"""
