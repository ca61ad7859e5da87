// Printing: on paper nothing can be opened, so folded parts are open while the page is printed. In browsers that know
// `::details-content` the style sheet does this alone; the code here is for the others.

/** @param {HTMLElement} thread */
export function unfoldForPrint(thread) {
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
