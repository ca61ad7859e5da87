// A document for the service worker, which has none: the part of the DOM that the screen's own modules use to build a turn
// (apply.js, article.js, conversation_entries.js), and its HTML. So the service worker prints the turns as the screen builds
// them, by the same code.

const TAG = /^[a-z][a-z0-9]*$/;
const ATTRIBUTE = /^[a-z][a-z-]*$/;
const VOID = new Set(['br', 'hr', 'input']);
/** A parser would make a line feed of a bare carriage return. @type {Record<string, string>} */
const ESCAPES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\r': '&#13;' };

/** @param {string} text */
export const escapeHtml = (text) => text.replace(/[&<>"\r]/g, (character) => ESCAPES[character]);

export class MiniDocument {
  /** @param {string} tag */
  createElement(tag) {
    if (!TAG.test(tag)) throw new Error(`no tag: ${tag}`);
    return new MiniElement(this, tag);
  }

  /** Nobody selects anything here. */
  getSelection() {
    return null;
  }
}

class MiniNode {
  /** @type {MiniElement | null} */
  parentNode = null;

  remove() {
    const siblings = this.parentNode?.childNodes;
    siblings?.splice(siblings.lastIndexOf(/** @type {any} */ (this)), 1);
    this.parentNode = null;
  }

  /** @param {(MiniElement | MiniText | string)[]} nodes */
  before(...nodes) {
    this.parentNode?.insert(nodes, this);
  }

  /** @param {(MiniElement | MiniText | string)[]} nodes */
  replaceWith(...nodes) {
    this.before(...nodes);
    this.remove();
  }
}

class MiniText extends MiniNode {
  nodeType = 3;

  /** @param {string} data */
  constructor(data) {
    super();
    this.data = data;
  }

  get length() {
    return this.data.length;
  }

  get textContent() {
    return this.data;
  }

  /** @param {string} more */
  appendData(more) {
    this.data += more;
  }

  /** @param {number} offset @param {number} count */
  deleteData(offset, count) {
    this.data = this.data.slice(0, offset) + this.data.slice(offset + count);
  }

  get html() {
    return escapeHtml(this.data);
  }
}

class MiniElement extends MiniNode {
  nodeType = 1;
  /** @type {(MiniElement | MiniText)[]} */
  childNodes = [];
  /** @type {Map<string, string>} */
  #attributes = new Map();

  /**
   * @param {MiniDocument} tree
   * @param {string} tag
   */
  constructor(tree, tag) {
    super();
    this.ownerDocument = tree;
    this.localName = tag;
  }

  get parentElement() {
    return this.parentNode;
  }

  /** @returns {MiniElement | MiniText | null} */
  get firstChild() {
    return this.childNodes[0] ?? null;
  }

  /** @returns {MiniElement | MiniText | null} */
  get lastChild() {
    return this.childNodes.at(-1) ?? null;
  }

  /** @returns {string} */
  get textContent() {
    return this.childNodes.map((node) => node.textContent).join('');
  }

  set textContent(text) {
    this.replaceChildren(...(text ? [text] : []));
  }

  get attributes() {
    return [...this.#attributes].map(([name, value]) => ({ name, value }));
  }

  /** @param {string} name */
  getAttribute(name) {
    return this.#attributes.get(name) ?? null;
  }

  /** @param {string} name @param {string} value */
  setAttribute(name, value) {
    if (!ATTRIBUTE.test(name)) throw new Error(`no attribute: ${name}`);
    this.#attributes.set(name, String(value));
  }

  /** @param {string} name */
  removeAttribute(name) {
    this.#attributes.delete(name);
  }

  /** @param {string} name @param {boolean} on */
  toggleAttribute(name, on) {
    if (on) this.setAttribute(name, this.getAttribute(name) ?? '');
    else this.removeAttribute(name);
  }

  /** All elements below; of selectors nothing but `*` is known. @returns {MiniElement[]} */
  querySelectorAll() {
    return this.childNodes.flatMap((node) => (node instanceof MiniElement ? [node, ...node.querySelectorAll()] : []));
  }

  /** @param {(MiniElement | MiniText | string)[]} nodes */
  append(...nodes) {
    this.insert(nodes, null);
  }

  /** @param {(MiniElement | MiniText | string)[]} nodes */
  replaceChildren(...nodes) {
    for (const node of this.childNodes) node.parentNode = null;
    this.childNodes = [];
    this.append(...nodes);
  }

  /**
   * @param {(MiniElement | MiniText | string)[]} nodes
   * @param {MiniNode | null} next the child that they come before; null for the end
   */
  insert(nodes, next) {
    const made = nodes.map((node) => (typeof node === 'string' ? new MiniText(node) : node));
    for (const node of made) node.remove();
    const at = next ? this.childNodes.lastIndexOf(/** @type {any} */ (next)) : this.childNodes.length;
    this.childNodes.splice(at, 0, ...made);
    for (const node of made) node.parentNode = this;
  }

  /** Joins neighbouring texts, here and below, and drops empty ones. */
  normalize() {
    /** @type {(MiniElement | MiniText)[]} */
    const joined = [];
    for (const node of this.childNodes) {
      const last = joined.at(-1);
      if (node instanceof MiniElement) {
        node.normalize();
        joined.push(node);
      } else if (last instanceof MiniText) last.data += node.data;
      else if (node.data) joined.push(node);
    }
    this.childNodes = joined;
  }

  /** @returns {string} always balanced, so that nothing in it can swallow what comes after it */
  get html() {
    const tag = this.localName;
    const attributes = this.attributes.map(({ name, value }) => ` ${name}="${escapeHtml(value)}"`).join('');
    if (VOID.has(tag)) return `<${tag}${attributes}>`;
    const inner = this.childNodes.map((node) => node.html).join('');
    // A parser drops a line feed right after this tag.
    const first = tag === 'pre' && inner.startsWith('\n') ? '\n' : '';
    return `<${tag}${attributes}>${first}${inner}</${tag}>`;
  }
}
