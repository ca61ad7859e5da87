// On paper nothing can be opened: what is folded is unfolded while it is printed, and folded again after it. The style sheet does
// that alone in browsers that know `::details-content`; this is for the others.

/** @param {HTMLElement} thread */
export function unfoldForPaper(thread) {
  /** @type {HTMLDetailsElement[]} */
  let folded = [];
  addEventListener('beforeprint', () => {
    if (CSS.supports('selector(::details-content)')) return;
    folded = [...thread.querySelectorAll('details')].filter((each) => !each.open);
    for (const each of folded) each.open = true;
  });
  addEventListener('afterprint', () => {
    for (const each of folded) each.open = false;
    folded = [];
  });
}
