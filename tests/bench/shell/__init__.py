"""How the page starts, beside peers of the same run; `python3 build.py bench shell`."""
