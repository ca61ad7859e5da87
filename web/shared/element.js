// Elements with attributes and children in one go. Whose they are is said by `paper`: the document, or the tree of the service
// worker, which prints with the same modules what the screen builds (worker/mini_dom.js).

/**
 * @param {Document} paper
 * @param {string} tag
 * @param {Record<string, string>} [attributes]
 * @param {(Node | string)[]} children
 */
export function element(paper, tag, attributes = {}, ...children) {
  const made = paper.createElement(tag);
  set(made, attributes);
  made.append(...children);
  return made;
}

/**
 * @param {Element} element
 * @param {Record<string, string | null>} attributes null takes one away
 */
export function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null) element.removeAttribute(name);
    else element.setAttribute(name, value);
  }
}
