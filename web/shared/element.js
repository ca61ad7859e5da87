// Elements with attributes and children in one go. `document` is the page's, or the service worker's own
// (worker/mini_dom.js): the modules here build the same elements with both.

/** @param {Node | null | undefined} node @returns {node is Element} */
export const isElement = (node) => node?.nodeType === 1;

/** @param {Node | null | undefined} node @returns {node is Text} */
export const isText = (node) => node?.nodeType === 3;

/**
 * @param {Document} document
 * @param {string} tag
 * @param {Record<string, string>} [attributes]
 * @param {(Node | string)[]} children
 */
export function element(document, tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  setAttributes(made, attributes);
  made.append(...children);
  return made;
}

/** @param {Element} element @param {Record<string, string | null>} attributes null takes one away */
export function setAttributes(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null) element.removeAttribute(name);
    else element.setAttribute(name, value);
  }
}
