// How much of its storage the app fills with files that it can fetch or make again. The rest is for what people write and are
// answered.

/** The share of the browser's quota. */
const LIMIT = 0.95;

/** Whether the stored data would go beyond the limit with so many bytes more. */
export async function isBeyondLimit(more = 0) {
  const { usage = 0, quota = Infinity } = (await navigator.storage?.estimate?.()) ?? {}; // WebKitGTK tells neither
  return usage + more > LIMIT * quota;
}
