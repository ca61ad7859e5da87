// As much of the DOM as the modules of web/shared/ may use. The service worker has no document: there these names are
// all that there is, and mini_dom.js provides them. The screen checks the same modules against the browser's own types.

interface Node {
  readonly nodeType: number;
  readonly isConnected?: boolean;
  readonly textContent: string | null;
}

interface ChildNode extends Node {
  readonly parentNode: Element | null;
  remove(): void;
  before(...nodes: (Node | string)[]): void;
  replaceWith(...nodes: (Node | string)[]): void;
}

interface Text extends ChildNode {
  data: string;
  readonly length: number;
  appendData(more: string): void;
  deleteData(offset: number, count: number): void;
}

interface Element extends ChildNode {
  readonly ownerDocument: Document;
  readonly localName: string;
  readonly parentElement: Element | null;
  readonly attributes: Iterable<{ name: string; value: string }>;
  readonly childNodes: ArrayLike<ChildNode> & Iterable<ChildNode>;
  readonly firstChild: ChildNode | null;
  readonly lastChild: ChildNode | null;
  textContent: string | null;
  getAttribute(name: string): string | null;
  setAttribute(name: string, value: string): void;
  removeAttribute(name: string): void;
  toggleAttribute(name: string, on: boolean): void;
  querySelectorAll(all: '*'): Iterable<Element>;
  append(...nodes: (Node | string)[]): void;
  replaceChildren(...nodes: (Node | string)[]): void;
  normalize(): void;
}

interface HTMLElement extends Element {}
interface HTMLButtonElement extends HTMLElement {}
interface HTMLAnchorElement extends HTMLElement {}

interface Selection {
  readonly anchorNode: Node | null;
  readonly anchorOffset: number;
  readonly focusNode: Node | null;
  readonly focusOffset: number;
  setBaseAndExtent(anchor: Node, anchorOffset: number, focus: Node, focusOffset: number): void;
}

interface Document {
  createElement(tag: string): HTMLElement;
  getSelection(): Selection | null;
}
