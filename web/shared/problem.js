// What went wrong, in the language of the page. The engine, the gateway and the service worker say it by a code with the values
// that stand in its words; the English that comes with it is for codes that the catalogue does not have: of another version,
// or a model's server that is none of ours. What somebody else has said stands in quotation marks, in their own language.

import { has, t } from './i18n.js';
import { visible } from './invisible.js';

/** @typedef {{code: string, values: import('./i18n.js').Values, quote: string, parts: Problem[]}} Problem */
/** @typedef {{message: string, hint: string, problem: Problem | null}} Trouble */

/** A mistake of our own, or in a file, that there are words for: problem.<code>. */
export class Known extends Error {
  /**
   * @param {string} code
   * @param {import('./i18n.js').Values} [values]
   */
  constructor(code, values = {}) {
    super(code);
    this.problem = { code, values };
  }
}

const LONGEST = 500; // characters of a name or a quote
const MOST = 20;

/**
 * An error as it came over the port or out of storage, made safe.
 * @param {any} raw
 * @returns {Trouble}
 */
export const troubled = (raw) => ({ message: text(raw?.message), hint: text(raw?.hint), problem: clean(raw?.problem) });

/** What is said of it: "" when nothing is known. @param {Trouble | null} trouble */
export function said(trouble) {
  if (!trouble) return '';
  const { message, hint, problem } = trouble;
  return problem && has(`problem.${problem.code}`) ? worded(problem) : [message, hint].filter(Boolean).join(' ');
}

/**
 * The words for a part of a message, `detail` in English and `problem` by its code.
 * @param {unknown} detail
 * @param {unknown} problem
 */
export const told = (detail, problem) => said(troubled({ message: detail, problem }));

/** What is said of an error that was caught here. @param {unknown} error */
export function caught(error) {
  if (error instanceof Known) return told('', error.problem);
  return t('problem.browser', { quote: quoted(error instanceof Error ? error.message : String(error)) });
}

/**
 * A sentence of ours, and behind it what the other side has said.
 * @param {string} line
 * @param {string} quote
 */
export const quoting = (line, quote) => (quote ? t('problem.quote', { line, quote: quoted(quote) }) : line);

/** @param {Problem} problem @returns {string} */
function worded({ code, values, quote, parts }) {
  return quoting(t(`problem.${code}`, { ...values, parts: parts.map(worded).join('; ') }), quote);
}

/** Whatever direction it is written in, the sentence around it keeps its own. @param {string} words */
const quoted = (words) => `\u2068${visible(words.replace(/\s+/g, ' ').trim(), '', true)}\u2069`;

/** @param {any} raw @returns {Problem | null} */
function clean(raw) {
  if (typeof raw?.code !== 'string') return null;
  const given = Object.entries(Object(raw.values)).slice(0, MOST);
  const values = given.filter(([, value]) => typeof value === 'string' || Number.isFinite(value));
  /** @type {any[]} */
  const listed = Array.isArray(raw.parts) ? raw.parts.slice(0, MOST) : [];
  const parts = listed.map(clean).filter((each) => each !== null);
  return { code: raw.code, values: Object.fromEntries(values), quote: text(raw.quote), parts };
}

/** @param {unknown} value */
const text = (value) => (typeof value === 'string' ? value.slice(0, LONGEST) : '');
