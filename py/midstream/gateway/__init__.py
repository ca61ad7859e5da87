"""The gateway: upstream connections, the run log, `seq`. It renders nothing.

    request → app → relay → log (store) → reader → SSE

A run belongs to nobody's connection: its relay writes the log whether or not somebody reads it,
and readers pull from the log by position. Whatever dies in between may be started again.

A folder imports only what stands to its left: config, tasks < store, upstream < runs < http <
server, serve_command, replay.
"""
