// The one owner of the scroll position. It follows the end of the text while the reader is there, and stops at the
// first sign that they want to read another part. It follows again when they reach the end or press the button below.

/** Pixels from the end that still count as being there. */
const NEAR = 10;
/** Pixels below NEAR at which `#anchor` looks for an element. */
const LOOKS = [1, 16, 32];
const UPWARD = new Set(['ArrowUp', 'PageUp', 'Home']);

export class Scroll {
  /**
   * @param {HTMLElement} scroller
   * @param {HTMLElement} column what grows in it
   * @param {HTMLButtonElement} pill
   */
  constructor(scroller, column, pill) {
    this.scroller = scroller;
    this.column = column;
    this.pill = pill;
    this.following = false; // until it is known where the reader is
    this.ours = -Infinity; // where we have just scrolled to: the event of it is not the reader's
    this.last = 0;
    scroller.addEventListener('scroll', () => this.#scrolled(), { passive: true });
    scroller.addEventListener('wheel', (event) => event.deltaY < 0 && this.#leave(), { passive: true });
    scroller.addEventListener('keydown', (event) => UPWARD.has(event.key) && this.#leave());
    // One in the composer comes with every key, and asking for the selection costs a layout.
    document.addEventListener('selectionchange', ({ target }) => target === document && this.#selected());
    const observer = new ResizeObserver(() => this.#grown());
    observer.observe(column);
    observer.observe(scroller);
    pill.addEventListener('click', () => this.toEnd());
  }

  /** Pixels below what is visible. */
  get below() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    return scrollHeight - scrollTop - clientHeight;
  }

  toEnd() {
    this.following = true;
    this.#to(this.scroller.scrollHeight);
  }

  /** @param {Element | Range} element that shall stand at the top */
  toElement(element) {
    const offset = element.getBoundingClientRect().top - this.scroller.getBoundingClientRect().top;
    this.toPosition(this.scroller.scrollTop + offset - NEAR);
  }

  /** @param {number} top */
  toPosition(top) {
    this.following = false;
    this.#to(top);
  }

  /**
   * Makes a change for the reader, and leaves the element that they have pressed in its place on the screen.
   * @param {Element} element
   * @param {() => void} change
   * @param {() => Element} after the element that stands for it after the change
   */
  keep(element, change, after = () => element) {
    const before = element.getBoundingClientRect().top;
    change();
    const moved = after().getBoundingClientRect().top - before;
    if (moved) this.toPosition(this.scroller.scrollTop + moved);
    else if (this.below > NEAR) this.toPosition(this.scroller.scrollTop); // it has grown: its end must not be followed
  }

  /**
   * Makes a change without moving the text under the reader: its anchor, or its end while that is followed.
   * @param {() => void} change
   */
  still(change) {
    const there = this.#anchor();
    if (this.following) return (change(), this.toEnd()); // at once: a frame later all of it would have moved
    if (!there || !this.scroller.contains(there)) return change();
    const before = there.getBoundingClientRect().top;
    change();
    const moved = there.getBoundingClientRect().top - before;
    if (moved && there.isConnected) this.#to(this.scroller.scrollTop + moved);
  }

  /** The element that must not move: the focused one, if visible, else the one at the top. Between two blocks that
      would be the whole text, so the next block is taken. */
  #anchor() {
    const { left, top, bottom, width } = this.scroller.getBoundingClientRect();
    const focused = document.activeElement;
    const at = focused?.matches('[data-part=content] *') ? focused.getBoundingClientRect() : null;
    if (at && this.scroller.contains(focused) && at.top >= top && at.bottom <= bottom) return focused;
    const seen = LOOKS.map((down) => document.elementFromPoint(left + width / 2, top + NEAR + down));
    return seen.find((each) => each?.closest('[data-part=content] *')) ?? seen[0];
  }

  /** The reader has moved before these scripts were there. */
  stay() {
    this.following = this.below <= NEAR;
    this.last = this.scroller.scrollTop;
    this.#selected();
    this.#mark();
  }

  /** @param {number} top */
  #to(top) {
    this.scroller.scrollTop = top;
    this.ours = this.last = this.scroller.scrollTop;
    this.#mark();
  }

  #leave() {
    if (this.below > NEAR || this.scroller.scrollTop > 0) this.following = false;
    this.#mark();
  }

  #scrolled() {
    const top = this.scroller.scrollTop;
    if (Math.abs(top - this.ours) > 1) {
      if (this.below <= NEAR) this.following = true;
      else if (top < this.last) this.following = false;
    }
    this.last = top;
    this.ours = -Infinity;
    this.#mark();
  }

  /** Following while text is selected would pull it out from under the pointer. */
  #selected() {
    const selection = getSelection();
    if (selection && !selection.isCollapsed && selection.anchorNode && this.scroller.contains(selection.anchorNode)) {
      this.following = false;
    }
  }

  #grown() {
    if (this.following) this.#to(this.scroller.scrollHeight);
    else this.#mark();
  }

  #mark() {
    this.pill.hidden = this.following || this.below <= NEAR || !this.#isMoreBelow();
  }

  /** Is a part of the conversation below what is visible? The room under a short answer and the first page are none. */
  #isMoreBelow() {
    const end = this.column.querySelector('article:last-child [data-part=foot]');
    return end !== null && end.getBoundingClientRect().bottom > this.scroller.getBoundingClientRect().bottom + NEAR;
  }
}
