// Runs in the visible document before any script of the app. In every frame, once before and once after it is painted, it
// looks at which numbered words of an answer stand on screen and what is said in words; what has changed goes out at once
// through a binding of the debugger, so that nothing of it is lost when the document goes or its process crashes.
(() => {
  if (window.parent !== window) return;
  const id = `${performance.timeOrigin}-${Math.random()}`;
  const after = new MessageChannel();
  let before = '';

  /** "1-40 43": the numbers in a sorted list without doubles. */
  const ranges = (numbers) => {
    const found = [];
    for (const number of numbers) {
      const last = found.at(-1);
      if (last && number === last[1] + 1) last[1] = number;
      else found.push([number, number]);
    }
    return found.map(([first, last]) => `${first}-${last}`).join(' ');
  };

  /** On screen: a page that holds its body back until its text is whole shows nothing of it. */
  const visible = (selector) =>
    [...document.querySelectorAll(selector)].filter((element) => element.checkVisibility({ visibilityProperty: true }));

  /** A word at the very end may still be growing, or have been stopped, also in a cell or in code: "w1" of "w17". */
  const wordsOf = (part) =>
    [...part.textContent.trimEnd().matchAll(/w(\d+)(?=[^\d])/g)].map((match) => Number(match[1]));
  const endOf = (part) => Number(/w(\d+)$/.exec(part.textContent.trimEnd())?.[1] ?? 0);

  const look = () => {
    const parts = visible('article[data-author=assistant] [data-part=content]');
    const all = parts.flatMap(wordsOf);
    const once = new Set(all);
    const article = [...document.querySelectorAll('article[data-author=assistant]')].at(-1);
    const line = article?.querySelector('[data-part=status]')?.textContent ?? '';
    const sample = {
      painted: performance.getEntriesByName('midstream:painted')[0]?.startTime ?? null,
      ends: parts.map(endOf),
      words: ranges([...once].sort((a, b) => a - b)),
      twice: ranges([...once].filter((word) => all.indexOf(word) !== all.lastIndexOf(word)).sort((a, b) => a - b)),
      state: article?.dataset.state ?? '',
      said: [line.replace(/\d+(\.\d+)?/g, '#'), ...visible('[data-part=update] span').map((span) => span.textContent)],
    };
    const now = JSON.stringify(sample);
    if (now === before) return;
    before = now;
    window.midstreamSample(JSON.stringify({ document: id, at: performance.now(), ...sample }));
  };
  after.port1.onmessage = look;

  const frame = () => {
    look();
    after.port2.postMessage(null);
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
})();
