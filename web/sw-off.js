// The switch that turns the service worker off. A host puts this file in the place of sw.js (docs/hosting.md); browsers
// look for it at each visit, and at least once a day. It drops the stored copies of the app's files, tells the pages, which go on
// from the network, and unregisters itself. The database of sw.js with waiting prompts and received answers stays as it is, for a
// later sw.js. It imports nothing, so that nothing else can break it.

/// <reference lib="webworker" />

const off = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));
const SCOPE = off.registration.scope;
/** How long an answer that the other one receives may hold this up, in ms: an event is killed after 300 s. */
const PATIENT = 240_000;

async function install() {
  const received = navigator.locks.request(`midstream-spool ${SCOPE}`, () => {});
  await Promise.race([received, new Promise((resolve) => setTimeout(resolve, PATIENT))]);
  await off.skipWaiting();
}

async function leave() {
  const names = (await caches.keys()).filter((name) => name.startsWith('midstream ') && name.endsWith(` ${SCOPE}`));
  await Promise.all(names.map((name) => caches.delete(name)));
  for (const page of await off.clients.matchAll({ includeUncontrolled: true })) page.postMessage({ type: 'off' });
  await off.registration.unregister();
}

off.addEventListener('install', (event) => event.waitUntil(install()));
off.addEventListener('activate', (event) => event.waitUntil(leave()));
// Pages ask how much is stored, each of them when this version is there. A browser that has ended this worker in the middle of
// its leave says it is active all the same, and has no other event for the rest of it.
off.addEventListener('message', (event) => {
  event.ports[0]?.postMessage({ version: 'off', done: 0, total: 0 });
  if (off.serviceWorker.state === 'activated') event.waitUntil(leave());
});
