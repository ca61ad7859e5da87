"""Midstream: streamed answers of language models that survive a refresh, a cut and an update.

The package is four parts that can be used alone: the streaming Markdown parser
(`midstream.markdown`), the client's session state machine and journal (`midstream.session`,
`midstream.journal`), the resumable gateway (`midstream.gateway`) and the browser engine that joins
them (`midstream.engine`).
"""

__version__ = "0.1.0"
