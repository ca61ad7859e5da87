// Texts in the person's language. Every text that the app shows or speaks comes from i18n/<language>.json through t();
// code holds no sentences.
//
// An entry is a string with {names}, or {"one": …, "other": …} chosen by the plural rule for the value `n`.

/** @typedef {string | Record<string, string>} Entry */
/** @typedef {Record<string, string | number>} Values */

/** The languages that have a catalogue, by their own names. The first one is for people who read none of them. */
export const LANGUAGES = { en: 'English', pl: 'Polski', ru: 'Русский' };

/** @type {Map<string, Entry>} */
let catalogue = new Map();
let plural = new Intl.PluralRules('en');
let number = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
let listing = new Intl.ListFormat('en');

/**
 * The language of the page: the chosen one, else the first one in the browser's list that has a catalogue.
 * @param {unknown} chosen "system", or nothing, for none
 * @param {readonly string[]} read the browser's list, best first
 */
export function languageOf(chosen, read) {
  const wanted = [String(chosen ?? ''), ...read.map((tag) => tag.toLowerCase().split('-')[0])];
  return wanted.find((language) => Object.hasOwn(LANGUAGES, language)) ?? 'en';
}

/** @param {string} language @param {Record<string, Entry>} entries */
export function setCatalogue(language, entries) {
  catalogue = new Map(Object.entries(entries));
  plural = new Intl.PluralRules(language);
  number = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
  listing = new Intl.ListFormat(language);
}

/** @param {string} key */
export const has = (key) => catalogue.has(key);

/** The text of `key`, with numbers in the language's form. @param {string} key @param {Values} [values] */
export function t(key, values = {}) {
  const entry = catalogue.get(key) ?? key;
  const text = typeof entry === 'string' ? entry : (entry[plural.select(Number(values.n))] ?? entry.other ?? key);
  return text.replace(/\{(\w+)\}/g, (_, name) => formatted(values[name]));
}

/** @param {string | number | undefined} value */
function formatted(value) {
  return typeof value === 'number' ? number.format(value) : (value ?? '');
}

/** "214 and 512". @param {number[]} numbers */
export const enumerate = (numbers) => listing.format(numbers.map((each) => number.format(each)));

/** "7 s", "2 min 5 s", "1 min". @param {number} seconds */
export function duration(seconds) {
  const whole = Math.round(seconds);
  if (whole < 60) return t('count.seconds', { n: whole });
  return t(whole % 60 ? 'count.minutes' : 'count.minutes.whole', { m: Math.floor(whole / 60), n: whole % 60 });
}
