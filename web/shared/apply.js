// The applier: turns ops (midstream/patch.py has their table) into nodes. It makes nodes with createElement and text
// with appendData. So a text node stays the same while it grows, and a selection in it survives. No HTML is parsed
// here.
//
// Ops are not trusted. The first impossible one ends the patch with a PatchError, and the caller asks for the whole
// answer anew. If that has such ops too, they are left out one by one (`lenient`): they never cost the text around
// them.

import {
  addBar,
  addDiagramButton,
  appendContent,
  contentNodes,
  contentSize,
  isAddition,
  labelBlock,
  lastContentNode,
} from './code_block_bar.js';
import { isElement, isText } from './element.js';
import { t } from './i18n.js';
import { visible } from './invisible.js';
import { admitted, hostOf, isAttribute, isTag, parseUrl } from './vocabulary.js';

export class PatchError extends Error {}

/** Characters without look-alikes. */
const PLAIN = /^[!-~]*$/;

/** Elements in elements: the engine ends at half of it, a parser at 512, and a browser's own stack somewhere behind. */
const DEEPEST = 400;

/**
 * How much a content may weigh, in elements, until somebody wants more: each layout of the page goes over all of them. A table
 * looks at every cell for its widths, and a code block is a box that scrolls, with buttons.
 */
const PORTION = 6000;
/** @type {Record<string, number>} */
const WEIGHTS = { td: 4, th: 4, pre: 8 };

/** @type {((applier: Applier, op: any[]) => void)[]} in the order of the op codes */
const OPS = [open, text, attr, trunc, unwrap, retag, drop, close];

export class Applier {
  /** @param {Element} root the element that stands for node 0 */
  constructor(root) {
    this.root = root;
    this.lenient = false;
    this.opened = 0; // elements so far, those that could not be made or wait included: the engine numbers them all
    this.weight = 0; // of those that are made
    this.most = PORTION;
    /** @type {unknown[]} ops that wait until somebody wants more of the content */
    this.rest = [];
    this.blockCount = 0; // of code so far
    this.tableCount = 0;
    /** @type {Map<number, Element>} the nodes that may still change */
    this.nodes = new Map([[0, root]]);
    /** @type {Map<number, Element>} code blocks, those that are closed too: their colours come later */
    this.codes = new Map();
    /** @type {Element[]} new code blocks, for the screen to take */
    this.blocks = [];
    /** @type {Element[]} new formulas, likewise */
    this.formulas = [];
    /** @type {Element[]} new complete diagrams, likewise */
    this.diagrams = [];
    /** @type {WeakMap<Element, number>} */
    this.ids = new WeakMap();
  }

  /** Goes on with other nodes, which are equal to these. @param {(node: Element) => Element} twin the equal one */
  replaceNodes(twin) {
    this.root = twin(this.root);
    this.nodes = new Map([...this.nodes].map(([id, node]) => [id, twin(node)]));
    this.codes = new Map([...this.codes].map(([id, code]) => [id, twin(code)]));
    this.blocks = this.blocks.map(twin);
    this.formulas = this.formulas.map(twin);
    this.diagrams = this.diagrams.map(twin);
    for (const [id, node] of this.nodes) if (node !== this.root) this.ids.set(node, id);
  }

  /** Empties the content, for a patch that brings all of it. */
  clear() {
    this.root.replaceChildren();
    this.opened = 0;
    this.weight = 0;
    this.rest = [];
    this.blockCount = 0;
    this.tableCount = 0;
    this.nodes = new Map([[0, this.root]]);
    this.codes = new Map();
    this.blocks = [];
    this.formulas = [];
    this.diagrams = [];
    this.ids = new WeakMap();
  }

  /**
   * @param {unknown} ops
   * @throws {PatchError} unless lenient, at the first op that cannot be applied; those before it are
   */
  apply(ops) {
    if (!Array.isArray(ops)) throw new PatchError('ops are not an array');
    for (const op of ops) {
      const opens = Array.isArray(op) && op[0] === 0;
      if (opens) this.opened += 1;
      if (this.rest.length || (opens && this.weight >= this.most)) this.rest.push(op);
      else this.#try(op);
    }
  }

  /** Shows another portion of a content that is cut. */
  more() {
    const { rest } = this;
    this.rest = [];
    this.opened -= rest.filter((op) => Array.isArray(op) && op[0] === 0).length; // they are counted again
    this.most += PORTION;
    this.apply(rest);
  }

  /** @param {unknown} op */
  #try(op) {
    try {
      this.#act(op);
    } catch (error) {
      if (!this.lenient || !(error instanceof PatchError)) throw error;
      console.warn('midstream: op left out', error.message);
    }
  }

  /** @param {any} op */
  #act(op) {
    const act = Array.isArray(op) && Number.isInteger(op[0]) ? OPS[op[0]] : undefined;
    if (act === open) this.weight += WEIGHTS[op[2]] ?? 1;
    if (!act) throw new PatchError(`unknown op ${JSON.stringify(op)}`);
    act(this, op);
  }

  /** @param {unknown} id */
  node(id) {
    const node = this.nodes.get(/** @type {number} */ (id));
    if (!node) throw new PatchError(`unknown node ${id}`);
    return node;
  }

  /** Takes an id for a node that has none yet. @param {unknown} id @param {Element} node */
  name(id, node) {
    if (!Number.isSafeInteger(id) || this.nodes.has(Number(id))) throw new PatchError(`bad id ${id}`);
    this.nodes.set(Number(id), node);
    this.ids.set(node, Number(id));
  }

  /** Has this element, or one in it, been closed? @param {Element} element */
  sealed(element) {
    const all = [element, ...element.querySelectorAll('*')].filter((each) => !isAddition(each));
    return all.some((each) => !this.nodes.has(this.ids.get(each) ?? -1));
  }

  /** Forgets the ids of an element and of all in it. @param {Element} element */
  forget(element) {
    for (const each of [element, ...element.querySelectorAll('*')]) {
      const id = this.ids.get(each);
      if (id !== undefined) this.nodes.delete(id);
    }
  }
}

/** @param {Applier} applier @param {any[]} op */
function open(applier, [, parent, tag, id]) {
  const into = applier.node(parent);
  if (!isTag(tag) && !applier.lenient) throw new PatchError(`tag ${tag} is not in the vocabulary`);
  if (depth(into) > DEEPEST) throw new PatchError('too deep');
  const element = makeElement(applier, isTag(tag) ? tag : 'span', into);
  applier.name(id, element);
  appendContent(into, element);
  if (element.localName === 'code' && into.localName === 'pre') applier.codes.set(id, element);
}

/** @param {Element | null} element */
function depth(element) {
  let count = 0;
  for (let at = element; at; at = at.parentElement) count += 1;
  return count;
}

/** @param {Applier} applier @param {string} tag @param {Element | null} into the future parent */
function makeElement(applier, tag, into) {
  const element = applier.root.ownerDocument.createElement(tag);
  // Only the outermost block looks for its direction, over all of its text; paragraphs inside follow by unicode-bidi.
  if (into === applier.root) element.setAttribute('dir', 'auto');
  if (tag === 'pre') {
    addBar(element, (applier.blockCount += 1));
    applier.blocks.push(element);
  }
  if (tag === 'table') element.setAttribute('aria-label', t('content.table', { n: (applier.tableCount += 1) }));
  if (tag === 'table' || (tag === 'code' && into?.localName === 'pre')) {
    element.setAttribute('tabindex', '0'); // scrolls sideways: with the keyboard too
  }
  if (tag === 'button') element.setAttribute('type', 'button');
  if (tag === 'input') {
    element.setAttribute('type', 'checkbox');
    element.setAttribute('disabled', '');
    element.setAttribute('aria-label', t('content.task.open'));
  }
  return element;
}

/** @param {Applier} applier @param {any[]} op */
function text(applier, [, id, more]) {
  if (typeof more !== 'string') throw new PatchError('text is not a string');
  const element = applier.node(id);
  append(element, more);
  if (element.localName === 'a') showHost(element);
}

/** @param {Element} element @param {string} more */
function append(element, more) {
  const last = lastContentNode(element);
  const code = element.localName === 'code';
  if (isText(last)) last.appendData(visible(more, last.data, code));
  else if (more) appendContent(element, visible(more, '', code));
}

/** @param {Applier} applier @param {any[]} op */
function attr(applier, [, id, name, value]) {
  const element = applier.node(id);
  if (element === applier.root || !isAttribute(element.localName, name)) {
    throw new PatchError(`attribute ${name} of ${element.localName} is not in the vocabulary`);
  }
  if (value === null) return element.removeAttribute(name);
  const fit = admitted(name, value);
  // Nothing is lost by leaving out a value: a link without its address is still its text.
  if (fit === null) return console.warn('midstream: value left out', name, value);
  element.setAttribute(name, fit);
  if (name === 'checked') element.setAttribute('aria-label', t('content.task.done'));
  if (name === 'href' || name === 'data-src') describe(element, fit);
  if (name === 'data-language') entitle(element, fit);
  if (name === 'data-math') applier.formulas.push(element);
}

/** @param {Element} code @param {string} language */
function entitle(code, language) {
  const into = code.parentElement;
  if (into?.localName === 'pre') labelBlock(into, language);
}

/** Says where a link or an image leads, whatever its text pretends. @param {Element} element @param {string} url */
function describe(element, url) {
  const host = hostOf(new URL(url));
  element.setAttribute('data-host', host);
  if (element.localName === 'a') {
    element.setAttribute('target', '_blank');
    element.setAttribute('rel', 'noopener noreferrer');
    showHost(element);
  } else {
    element.setAttribute('title', t('content.image', { host }));
  }
}

/**
 * The host stands after a link's text, unless that text is the very address. Letters and slashes of other scripts look like those
 * of an address: then it stands there too, in the form that a browser asks for (`xn--…`).
 * @param {Element} link
 */
function showHost(link) {
  const text = (link.textContent ?? '').trim();
  const host = link.getAttribute('data-host');
  const named = parseUrl(text) ?? parseUrl(`https://${text}`);
  const same = named !== null && !named.username && hostOf(named) === host;
  link.toggleAttribute('data-plain', (same && PLAIN.test(text)) || text === host);
}

/** @param {Applier} applier @param {any[]} op */
function trunc(applier, [, id, units]) {
  const last = lastContentNode(applier.node(id));
  if (!isText(last) || !Number.isSafeInteger(units) || units < 0 || units > last.length) {
    throw new PatchError(`cannot take ${units} units off node ${id}`);
  }
  if (units === last.length) last.remove();
  else last.deleteData(last.length - units, units);
}

/** @param {Applier} applier @param {any[]} op */
function unwrap(applier, [, id, before]) {
  const element = applier.node(id);
  const parent = element.parentNode;
  if (element === applier.root || !parent || typeof before !== 'string') throw new PatchError('cannot unwrap');
  applier.nodes.delete(id);
  keepingSelection(applier, () => {
    element.before(before);
    element.before(...contentNodes(element));
    element.remove();
    parent.normalize(); // joins neighbouring texts and keeps ranges inside them
  });
}

/** @param {Applier} applier @param {any[]} op */
function retag(applier, [, id, tag]) {
  const old = applier.node(id);
  if (old === applier.root || !isTag(tag)) throw new PatchError(`cannot make node ${id} a ${tag}`);
  const element = makeElement(applier, tag, old.parentElement);
  for (const { name, value } of old.attributes) {
    if (isAttribute(tag, name)) element.setAttribute(name, value);
  }
  applier.nodes.delete(id);
  applier.name(id, element);
  keepingSelection(applier, () => {
    appendContent(element, ...contentNodes(old));
    old.replaceWith(element);
  });
}

/** @param {Applier} applier @param {any[]} op */
function drop(applier, [, id, from]) {
  const element = applier.node(id);
  if (!Number.isSafeInteger(from) || from < 0) throw new PatchError(`cannot drop from ${from}`);
  for (let last = lastContentNode(element); last && contentSize(element) > from; last = lastContentNode(element)) {
    if (isElement(last) && applier.sealed(last)) throw new PatchError('a sealed element cannot be dropped');
    if (isElement(last)) applier.forget(last);
    last.remove();
  }
}

/** @param {Applier} applier @param {any[]} op */
function close(applier, [, id]) {
  const element = applier.node(id);
  if (element === applier.root) throw new PatchError('the content is never closed');
  applier.forget(element);
  const [code] = element.localName === 'pre' ? contentNodes(element) : [];
  if (!isElement(code) || code.getAttribute('data-language')?.toLowerCase() !== 'mermaid') return;
  addDiagramButton(element);
  applier.diagrams.push(element);
}

/**
 * Moving nodes collapses a selection in them: it is set again afterwards, since the text nodes are the same ones.
 * @param {Applier} applier
 * @param {() => void} move
 */
function keepingSelection(applier, move) {
  const selection = applier.root.ownerDocument.getSelection();
  const { anchorNode, anchorOffset, focusNode, focusOffset } = selection ?? {};
  move();
  if (!selection || !anchorNode?.isConnected || !focusNode?.isConnected) return;
  const lost = selection.anchorNode !== anchorNode || selection.focusNode !== focusNode;
  if (lost) selection.setBaseAndExtent(anchorNode, anchorOffset ?? 0, focusNode, focusOffset ?? 0);
}
