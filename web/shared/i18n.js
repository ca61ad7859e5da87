// The words. Everything that is shown or spoken comes from i18n/<language>.json through t(); code holds no sentences.
//
// An entry is a string with {names}, or {"one": …, "other": …} chosen by the plural rule for the value `n`.

/** @typedef {string | Record<string, string>} Entry */
/** @typedef {Record<string, string | number>} Values */

/** There is a catalogue of each; the first one is for those who read none of them. By their own names. */
export const LANGUAGES = { en: 'English', pl: 'Polski', ru: 'Русский' };

/** @type {Map<string, Entry>} */
let catalogue = new Map();
let plural = new Intl.PluralRules('en');
let number = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
let listing = new Intl.ListFormat('en');

/**
 * The language of the words: the one that was chosen, else the first of those that the person reads.
 * @param {unknown} chosen "system", or nothing, for none
 * @param {readonly string[]} read the browser's, best first
 */
export function languageOf(chosen, read) {
  const wanted = [String(chosen ?? ''), ...read.map((tag) => tag.toLowerCase().split('-')[0])];
  return wanted.find((language) => Object.hasOwn(LANGUAGES, language)) ?? 'en';
}

/**
 * Loads the catalogue of a language. A missing one leaves the keys to be seen instead of words: the text still shows.
 * @param {string} language
 */
export async function load(language) {
  try {
    use(language, await (await fetch(`i18n/${language}.json`)).json());
  } catch (error) {
    console.error('midstream: no words for', language, error);
  }
}

/**
 * @param {string} language
 * @param {Record<string, Entry>} entries
 */
export function use(language, entries) {
  catalogue = new Map(Object.entries(entries));
  plural = new Intl.PluralRules(language);
  number = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
  listing = new Intl.ListFormat(language);
}

/** @param {string} key */
export const has = (key) => catalogue.has(key);

/**
 * The words of `key`, with numbers written the language's way.
 * @param {string} key
 * @param {Values} [values]
 */
export function t(key, values = {}) {
  const entry = catalogue.get(key) ?? key;
  const text = typeof entry === 'string' ? entry : entry[plural.select(Number(values.n))] ?? entry.other ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name) => written(values[name]));
}

/** @param {string | number | undefined} value */
function written(value) {
  return typeof value === 'number' ? number.format(value) : value ?? '';
}

/** "214 and 512". @param {number[]} numbers */
export const enumerate = (numbers) => listing.format(numbers.map((each) => number.format(each)));

/**
 * "7 s", "2 min 5 s", "1 min".
 * @param {number} seconds
 */
export function duration(seconds) {
  const whole = Math.round(seconds);
  if (whole < 60) return t('count.seconds', { n: whole });
  return t(whole % 60 ? 'count.minutes' : 'count.minutes.whole', { m: Math.floor(whole / 60), n: whole % 60 });
}

/**
 * Puts the words into markup that stands in the document from the start.
 * @param {ParentNode} root
 */
export function label(root) {
  for (const each of root.querySelectorAll('[data-words]')) each.textContent = t(String(each.getAttribute('data-words')));
  for (const each of root.querySelectorAll('[data-label]')) each.ariaLabel = t(String(each.getAttribute('data-label')));
  for (const each of root.querySelectorAll('[data-placeholder]')) {
    each.setAttribute('placeholder', t(String(each.getAttribute('data-placeholder'))));
  }
}
