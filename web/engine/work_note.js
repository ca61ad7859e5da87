// What Python is at, when it could be lost over it: a code block with its colours. Only what it was lost over is kept, for the
// next Python, which leaves it alone.

const KEY = 'midstream.given-up';
const MOST = 100;

export class WorkNote {
  #at = '';

  /** @param {string} work "" for nothing that could stop it */
  set(work) {
    this.#at = work;
  }

  /** Python was lost over it. */
  keep() {
    if (!this.#at) return;
    const all = [...new Set([...this.kept(), this.#at])].slice(-MOST);
    try {
      localStorage.setItem(KEY, JSON.stringify(all));
    } catch {
      // denied or full: Python may be lost over it once more
    }
  }

  /** @returns {string[]} */
  kept() {
    try {
      const all = JSON.parse(localStorage.getItem(KEY) ?? '[]');
      return Array.isArray(all) ? all.map(String) : [];
    } catch {
      return [];
    }
  }
}
