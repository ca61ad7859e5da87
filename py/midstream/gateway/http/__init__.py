"""The gateway as an ASGI app: routes, guard, and the files of the app."""
