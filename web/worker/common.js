// Shared by the parts of the service worker: short answers, and the rule for the addresses that may be requested.

/// <reference lib="webworker" />

import { LOOPBACK } from '../shared/constants.js';

/** Headers of every answer of the service worker itself. */
export const OWN_HEADERS = { 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' };

/** 204. @param {Record<string, string>} [headers] */
export function noContent(headers = {}) {
  return new Response(null, { status: 204, headers: { ...headers, ...OWN_HEADERS } });
}

/**
 * An error in the form of the chat protocol.
 * @param {number} status
 * @param {string} message
 * @param {string} [code]
 * @param {Record<string, string>} [headers]
 * @param {string} [problem] code of the problem, where the screen may show it
 */
export function errorResponse(status, message, code = 'refused', headers = {}, problem) {
  const error = { message, code, ...(problem && { problem: { code: problem } }) };
  return Response.json({ error }, { status, headers: { ...headers, ...OWN_HEADERS } });
}

/** @param {unknown} value @returns {value is Record<string, string>} */
export function isTextMap(value) {
  return typeof value === 'object' && value !== null && Object.values(value).every((text) => typeof text === 'string');
}

/**
 * Whether a request may go there: to this origin, over https, or to this machine. The engine's policy says the same, but
 * does not hold for the requests of this worker.
 * @param {unknown} text
 * @returns {text is string}
 */
export function mayRequest(text) {
  if (typeof text !== 'string' || !URL.canParse(text)) return false;
  const url = new URL(text);
  const loopback = url.protocol === 'http:' && LOOPBACK.includes(url.hostname);
  return !url.username && !url.password && (url.origin === location.origin || url.protocol === 'https:' || loopback);
}

/** @param {number} ms */
export const delay = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Waits for `work`, but no longer than so many ms. The timer ends with `work`.
 * @param {number} ms
 * @param {unknown} work
 */
export async function within(ms, work) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const limit = new Promise((resolve) => (timer = setTimeout(resolve, ms)));
  await Promise.race([limit, work]);
  clearTimeout(timer);
}

/** @param {unknown} error */
export function warn(error) {
  console.warn('midstream: service worker', error);
}
