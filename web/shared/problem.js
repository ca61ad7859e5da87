// Problems as text in the language of the page. The engine, the gateway and the service worker send a code and values;
// the English text beside it is for codes without an entry in the catalogue: they come from another version, or from a
// model's server that is not ours. The text of another program stands in quotation marks, in its own language.

import { has, t } from './i18n.js';
import { visible } from './invisible.js';

/** @typedef {{code: string, values: import('./i18n.js').Values, quote: string, parts: Problem[]}} Problem */
/** @typedef {{message: string, hint: string, problem: Problem | null}} Trouble */

/** An error of our own, or in a file, with a text in the catalogue: problem.<code>. */
export class KnownProblem extends Error {
  /** @param {string} code @param {import('./i18n.js').Values} [values] */
  constructor(code, values = {}) {
    super(code);
    this.problem = { code, values };
  }
}

const LONGEST = 500; // characters of a name or a quote
const MOST = 20;

/** An error as it came over the port or out of storage, made safe. @param {any} raw @returns {Trouble} */
export const parseTrouble = (raw) => {
  return { message: string(raw?.message), hint: string(raw?.hint), problem: parse(raw?.problem) };
};

/** Its text; "" when nothing is known. @param {Trouble | null} trouble */
export function troubleText(trouble) {
  if (!trouble) return '';
  const { message, hint, problem } = trouble;
  return problem && has(`problem.${problem.code}`) ? textOf(problem) : [message, hint].filter(Boolean).join(' ');
}

/**
 * The text for a part of a message.
 * @param {unknown} detail in English, for a code without an entry
 * @param {unknown} problem
 */
export const problemText = (detail, problem) => troubleText(parseTrouble({ message: detail, problem }));

/** The text for an error that was caught in this page. @param {unknown} error */
export function errorText(error) {
  if (error instanceof KnownProblem) return problemText('', error.problem);
  return t('problem.browser', { quote: quoted(error instanceof Error ? error.message : String(error)) });
}

/** A sentence of ours, and behind it the other side's own. @param {string} line @param {string} quote */
export const withQuote = (line, quote) => (quote ? t('problem.quote', { line, quote: quoted(quote) }) : line);

/** @param {Problem} problem @returns {string} */
function textOf({ code, values, quote, parts }) {
  return withQuote(t(`problem.${code}`, { ...values, parts: parts.map(textOf).join('; ') }), quote);
}

/** Isolated: the sentence around it keeps its own direction. @param {string} text */
const quoted = (text) => `\u2068${visible(text.replace(/\s+/g, ' ').trim(), '', true)}\u2069`;

/** @param {any} raw @returns {Problem | null} */
function parse(raw) {
  if (typeof raw?.code !== 'string') return null;
  const given = Object.entries(Object(raw.values)).slice(0, MOST);
  const values = given.filter(([, value]) => typeof value === 'string' || Number.isFinite(value));
  /** @type {any[]} */
  const listed = Array.isArray(raw.parts) ? raw.parts.slice(0, MOST) : [];
  const parts = listed.map(parse).filter((each) => each !== null);
  return { code: raw.code, values: Object.fromEntries(values), quote: string(raw.quote), parts };
}

/** @param {unknown} value */
const string = (value) => (typeof value === 'string' ? value.slice(0, LONGEST) : '');
