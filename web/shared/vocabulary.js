// The closed vocabulary of an answer, the same as in midstream/patch.py, checked a second time here. So a fault or a
// break-in on the engine's side cannot bring in a script, a foreign request or a name that shadows ours.
//
// The two tables are JSON: a test compares them with patch.py's. Addresses are parsed as well, since the browser's
// reading of an address decides where it leads, not its looks.

/** Tags and the attributes that each may carry. @type {Record<string, string[]>} */
export const TAGS = {
  "p": [], "h1": [], "h2": [], "h3": [], "h4": [], "h5": [], "h6": [],
  "blockquote": [], "ul": ["data-tight"], "ol": ["start", "data-tight"], "li": [], "pre": [], "hr": [],
  "table": [], "thead": [], "tbody": [], "tr": [], "th": ["align"], "td": ["align"],
  "em": [], "strong": [], "del": [], "br": [], "code": ["data-language", "data-math"],
  "a": ["href", "title"], "button": ["data-src"], "input": ["type", "checked", "disabled"],
  "sup": ["data-note"], "aside": ["data-note"]
};

/** What an attribute's value must look like; those that are not here are free text. @type {Record<string, string>} */
export const VALUES = {
  "href": "(?:https?://[^/?#\\\\\\s]|mailto:)[^\\s\\x00-\\x1f\\x7f]*",
  "data-src": "https?://[^/?#\\\\\\s][^\\s\\x00-\\x1f\\x7f]*",
  "align": "(?:left|center|right)",
  "start": "[0-9]{1,9}",
  "data-math": "(?:inline|block)",
  "type": "checkbox",
  "checked": "",
  "disabled": "",
  "data-tight": ""
};

/** Attributes that hold an address. */
const ADDRESSES = new Set(['href', 'data-src']);
const SCHEMES = new Set(['http:', 'https:', 'mailto:']);
const PATTERNS = new Map(
  Object.entries(VALUES).map(([name, form]) => [name, new RegExp(`^(?:${form})$`, ADDRESSES.has(name) ? 'i' : '')]),
);

/** @param {unknown} tag */
export const isTag = (tag) => typeof tag === 'string' && Object.hasOwn(TAGS, tag);

/**
 * May `tag` carry this attribute?
 * @param {string} tag in lower case, one of TAGS
 * @param {unknown} name
 * @returns {name is string}
 */
export const isAttribute = (tag, name) => typeof name === 'string' && isTag(tag) && TAGS[tag].includes(name);

/** The value as it may stand in that attribute; null when it may not. @param {string} name @param {unknown} value */
export function admitted(name, value) {
  if (typeof value !== 'string' || !(PATTERNS.get(name)?.test(value) ?? true)) return null;
  return ADDRESSES.has(name) ? address(value)?.href ?? null : value;
}

/**
 * The parsed address of a link or an image, without a user name before the host (a favourite of forgers); null when its
 * scheme is not allowed. Parsed without a base: a relative address would point into the app.
 * @param {string} value
 */
function address(value) {
  const url = parseUrl(value);
  if (!url || !SCHEMES.has(url.protocol)) return null;
  url.username = '';
  url.password = '';
  return url;
}

/** @param {string} value */
export function parseUrl(value) {
  return URL.canParse(value) ? new URL(value) : null;
}

/** The part of an address that a person should know before following it. @param {URL} url */
export const hostOf = (url) => url.host || url.pathname;
