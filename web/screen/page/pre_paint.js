// The first frame after a reload: it shows the text out of the service worker at the old scroll position, with the
// draft in its field. This script runs before the page is parsed, so it has no imports. main.js owns both later. The
// names and shapes of the stored items are tab.js's, those of the colours preferences.js's.
//
// Where the tab has something that the service worker cannot know of, the page stays hidden until main.js has it
// (html[data-paint=held]).

{
  const html = document.documentElement;
  const moves = ['wheel', 'touchstart', 'pointerdown', 'keydown'];

  /** @param {'localStorage' | 'sessionStorage'} storage @param {string} key */
  const load = (storage, key) => {
    try {
      return JSON.parse(window[storage].getItem(key) ?? 'null');
    } catch {
      return null; // main.js says what is wrong
    }
  };
  const hasRecords = () => {
    try {
      return Object.keys(sessionStorage).some((key) => key.startsWith('midstream.tab/'));
    } catch {
      return false;
    }
  };

  const { theme } = load('localStorage', 'midstream.preferences') ?? {};
  if (theme === 'light' || theme === 'dark') html.dataset.theme = theme;

  const asked = new URLSearchParams(location.search).get('c');
  const tab = load('sessionStorage', 'midstream.tab');
  const drafts = load('localStorage', 'midstream.draft');
  const top = asked && tab?.conversation === asked && typeof tab.top === 'number' ? tab.top : null;
  if (hasRecords() || drafts?.pending?.length) html.dataset.paint = 'held';
  else if (top !== null) html.dataset.paint = 'whole';

  /** Until the reader moves. */
  const scroll = () => {
    const scroller = document.querySelector('[data-part=scroller]');
    if (scroller && !html.dataset.place) scroller.scrollTop = top ?? scroller.scrollHeight;
  };

  let drafted = false; // once: composer.js may have it already, while main.js still builds the turns
  const draft = () => {
    const prompt = document.querySelector('textarea');
    const text = drafts?.texts?.[asked ?? ''];
    if (!prompt || !asked || typeof text !== 'string' || drafted) return;
    drafted = true;
    prompt.dataset.draft = asked;
    prompt.value = text;
    const send = prompt.form?.querySelector('button');
    if (send) send.disabled = !text.trim();
  };

  /** How much of the text is there, for the style sheet. */
  const look = () => {
    if (!document.querySelector('article')) return;
    if (document.querySelector('[data-part=endpoint]')) html.dataset.text = 'whole';
    else html.dataset.text = document.querySelector('article[data-last] ~ article:not([data-last])') ? 'last' : 'some';
  };

  const frame = () => {
    if (html.dataset.paint === 'done') return;
    look();
    // A page that is still being parsed is hidden by the style sheet until it is whole.
    if (document.querySelector('article') && getComputedStyle(document.body).visibility === 'visible') {
      draft();
      scroll();
      if (!performance.getEntriesByName('midstream:painted').length) performance.mark('midstream:painted');
    }
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);

  // As soon as the text is there, not with the next frame: laid out while it is hidden it would get its styles twice.
  // They are made here, so that styles and layout are two tasks of half the length.
  const parsed = new MutationObserver(() => {
    if (html.dataset.paint === 'done') return parsed.disconnect();
    for (const each of [document.body, document.querySelector('[data-part=page]')]) {
      if (each) parsed.observe(each, { childList: true });
    }
    look();
    if (html.dataset.text !== 'whole') return;
    parsed.disconnect();
    void getComputedStyle(document.body).visibility;
  });
  parsed.observe(html, { childList: true });

  const moved = () => (html.dataset.place = 'moved');
  for (const move of moves) addEventListener(move, moved, { once: true, passive: true, capture: true });
}
