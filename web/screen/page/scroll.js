// The one owner of the scroll position. It follows the end of the text only while the reader is there, and leaves it at the
// first sign that they want to be elsewhere; only reaching the end or the pill brings it back.

/** Pixels from the end that still count as being there. */
const NEAR = 10;
/** Where it is looked for what stands there, in pixels below that. */
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
    this.pill = pill;
    this.following = false; // until it is known where the reader is
    this.ours = -1; // where we have just scrolled to: the event that tells of it is not the reader's
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
   * Changes the text in a way that the reader has asked for, and leaves what they have asked with where it stands.
   * @param {Element} element
   * @param {() => void} change
   * @param {() => Element} after what stands in its place then
   */
  keep(element, change, after = () => element) {
    const before = element.getBoundingClientRect().top;
    change();
    const moved = after().getBoundingClientRect().top - before;
    if (moved) this.toPosition(this.scroller.scrollTop + moved);
    else if (this.below > NEAR) this.toPosition(this.scroller.scrollTop); // it has grown: to follow its end would take it away
  }

  /**
   * Makes a change without moving what is being read: what has the focus or stands at the top, or the end where that is followed.
   * @param {() => void} change
   */
  still(change) {
    const there = this.#anchor();
    if (this.following) return change(), this.toEnd(); // at once: a frame later all of it would have moved
    if (!there || !this.scroller.contains(there)) return change();
    const before = there.getBoundingClientRect().top;
    change();
    const moved = there.getBoundingClientRect().top - before;
    if (moved && there.isConnected) this.#to(this.scroller.scrollTop + moved);
  }

  /** What must not move: what has the focus, where that can be seen, else what stands at the top. Between two blocks that would be
      all of the text, so it is the next one. */
  #anchor() {
    const { left, top, bottom, width } = this.scroller.getBoundingClientRect();
    const focused = document.activeElement;
    const at = focused?.matches('[data-part=content] *') ? focused.getBoundingClientRect() : null;
    if (at && this.scroller.contains(focused) && at.top >= top && at.bottom <= bottom) return focused;
    const found = LOOKS.map((down) => document.elementFromPoint(left + width / 2, top + NEAR + down));
    return found.find((each) => each?.closest('[data-part=content] *')) ?? found[0];
  }

  /** The reader has been at work before these scripts were there. */
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
    this.ours = -1;
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
    this.pill.hidden = this.following || this.below <= NEAR;
  }
}
