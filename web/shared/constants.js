// Tables that Python and the screen share. Written by tooling/assets/generated.py from the modules of midstream
// that are named here: change those and run `python -m tooling.assets.generated`.

/** patch.OPS: the number of fields of a packed op after its code, by code. @type {number[]} */
export const PACKED_FIELDS = [2, 2, 3, 2, 2, 2, 2, 1];

/** patch.SAFE: the tags of an answer and the attributes that each may carry. @type {Record<string, string[]>} */
export const TAGS = {
  "h1": [], "h2": [], "h3": [], "h4": [], "h5": [], "h6": [], "p": [], "blockquote": [], "li": [], "pre": [], "hr": [],
  "table": [], "thead": [], "tbody": [], "tr": [], "em": [], "strong": [], "del": [], "br": [], "ul": ["data-tight"],
  "ol": ["data-tight", "start"], "th": ["align"], "td": ["align"], "code": ["data-language", "data-math"], "a": ["href",
  "title"], "button": ["data-src"], "input": ["checked", "disabled", "type"], "sup": ["data-note"], "aside": ["data-note"]
};

/** patch.VALUES: the form of an attribute's value; the others are free text. @type {Record<string, string>} */
export const VALUES = {
  "href": "(?:https?://[^/?#\\\\\\s]|mailto:)[^\\s\\x00-\\x1f\\x7f]*",
  "data-src": "https?://[^/?#\\\\\\s][^\\s\\x00-\\x1f\\x7f]*", "align": "(?:left|center|right)", "start": "[0-9]{1,9}",
  "data-math": "(?:inline|block)", "type": "checkbox", "checked": "", "disabled": "", "data-tight": ""
};

/** patch.SCHEMES: of addresses. @type {string[]} */
export const SCHEMES = ["http:", "https:", "mailto:"];

/** lexing.KINDS: the kinds of coloured code, by their numbers. @type {string[]} */
export const COLOUR_KINDS = ["keyword", "name", "string", "number", "comment", "type", "inserted", "deleted"];

/** names.LOOPBACK_IN_URLS: hosts of this machine. @type {string[]} */
export const LOOPBACK = ["127.0.0.1", "localhost", "[::1]"];
