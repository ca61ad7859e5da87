"""The snapshot that a browser keeps (web/engine/pyodide/snapshot_store.mjs), as a page of the app finds it."""

from __future__ import annotations

# An expression of JavaScript for the name of its folder.
FOLDER = "'midstream-snapshot ' + encodeURIComponent(new URL('.', document.baseURI).pathname)"

# What its file says of itself; null when there is none, or it is still being written.
KEPT = f"""async () => {{
  try {{
    const root = await navigator.storage.getDirectory();
    const folder = await root.getDirectoryHandle({FOLDER});
    const file = await (await folder.getFileHandle('snapshot')).getFile();
    const head = await file.slice(0, 4096).text();
    return JSON.parse(head.slice(0, head.indexOf('\\0')));
  }} catch {{
    return null;
  }}
}}"""
UNTIL_KEPT = f"""async () => {{
  for (;;) {{
    const said = await ({KEPT})();
    if (said) return said;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }}
}}"""
