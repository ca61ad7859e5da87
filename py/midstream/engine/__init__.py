"""The engine: Python in the browser. It owns the conversations, the journal, the sessions and the
parser of each answer.

Only `engine/browser/` knows the browser. The other folders run in CPython too, where the tests put a
real gateway, a real socket and a store in memory around them.
"""
