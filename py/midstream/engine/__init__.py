"""The engine: Python in the browser. It owns the conversations, the journal, the sessions and the
parser of each answer.

`browser.py`, `idb.py`, `net.py` and `main.py` are the only files of the package that import js or
pyodide; the rest runs in CPython too, where the tests put a real gateway, a real socket and a store
in memory around it.
"""
