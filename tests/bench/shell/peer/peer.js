// Marks the moment at which Python has parsed its first Markdown, as ours does with `midstream:engine`.

await navigator.serviceWorker.register('sw.js');
const core = await import('./pyscript/core.js');
const { xworker } = await core.whenDefined('py');
xworker.onmessage = () => performance.mark('peer:ready');
