// How a drawing stands in its block: beside the source, which has no height then, so that it still can be selected, copied and read
// out. And what it looks like: the page's own colours and font.

import { button } from '../../shared/code_block_bar.js';
import { element } from '../../shared/element.js';
import { t } from '../../shared/i18n.js';
import { html } from '../page/page.js';

/** The smallest that a wide drawing gets, of its own size: then it scrolls. */
const SMALLEST = 0.75;
/** The kinds that have a name here, as Mermaid calls them. */
const KIND = /^(flowchart|sequence|class|state|er|gantt|pie|mindmap|timeline|journey|git)/;
/** The page's colours, those of code as hues, in the order in which late/diagram.js takes them. @type {Record<string, string>} */
const COLOURS = {
  code: 'code', tint: 'tint', line: 'line', ink: 'ink', soft: 'soft',
  blue: 'code-name', green: 'code-string', amber: 'code-number', teal: 'code-type', violet: 'code-keyword',
};

export const night = matchMedia('(prefers-color-scheme: dark)');

/** The page is dark or light now. */
export const look = () => html.dataset.theme ?? (night.matches ? 'dark' : 'light');

/** @param {Element} block */
export const isDrawn = (block) => block.hasAttribute('data-drawn');

/** What a drawing of this page is to look like. */
export function dress() {
  const probe = element(document, 'i', { hidden: '' });
  probe.style.setProperty('forced-color-adjust', 'none'); // else all colours would be one
  document.body.append(probe);
  const style = getComputedStyle(probe);
  /** @param {string} name @returns {[string, string]} */
  const colour = (name) => {
    probe.style.color = `var(--${COLOURS[name]})`;
    const parts = (style.color.match(/\d+/g) ?? []).slice(0, 3);
    return [name, `#${parts.map((part) => Number(part).toString(16).padStart(2, '0')).join('')}`];
  };
  const colours = Object.fromEntries(Object.keys(COLOURS).map(colour));
  const font = style.getPropertyValue('--ui').trim();
  probe.remove();
  return { dark: look() === 'dark', colours, font };
}

/**
 * @param {HTMLElement} block
 * @param {HTMLImageElement} image
 * @param {import('./diagram_frame.js').Drawing} drawing
 * @param {string} shown light or dark
 */
export function show(block, image, { kind, title, width }, shown) {
  const named = t(`content.diagram.${KIND.exec(kind)?.[1] ?? 'other'}`);
  image.alt = title ? t('content.diagram.title', { kind: named, title }) : t('content.diagram', { kind: named });
  image.style.maxInlineSize = `max(100%, ${Math.ceil(SMALLEST * width)}px)`;
  const box = element(document, 'div', { 'data-part': 'diagram', tabindex: '0' }, image); // scrolls sideways
  const before = boxOf(block);
  const code = block.querySelector('code');
  const focused = [before, code].includes(/** @type {HTMLElement} */ (document.activeElement));
  if (before) before.replaceWith(box);
  else block.append(box);
  code?.removeAttribute('tabindex');
  block.dataset.drawn = shown;
  if (focused) box.focus({ preventScroll: true });
  button(block, 'diagram')?.setAttribute('aria-pressed', 'true');
}

/** The source again. @param {HTMLElement} block */
export function hide(block) {
  const box = boxOf(block);
  const code = block.querySelector('code');
  const focused = box !== null && box === document.activeElement;
  code?.setAttribute('tabindex', '0');
  delete block.dataset.drawn;
  if (focused) code?.focus({ preventScroll: true });
  box?.remove();
  button(block, 'diagram')?.setAttribute('aria-pressed', 'false');
}

/** @param {Element} block @returns {HTMLElement | null} */
const boxOf = (block) => block.querySelector('[data-part=diagram]');
