// Everything from the cache, the way most tutorials do it.

addEventListener('install', () => skipWaiting());
addEventListener('activate', (event) => event.waitUntil(clients.claim()));
addEventListener('fetch', (event) => event.respondWith(answer(event.request)));

async function answer(request) {
  const cache = await caches.open('peer');
  const stored = await cache.match(request);
  if (stored) return stored;
  const response = await fetch(request);
  if (request.method === 'GET' && response.ok) await cache.put(request, response.clone());
  return response;
}
