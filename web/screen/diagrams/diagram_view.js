// A drawing in its block: beside the source, which has no height then, so that it can still be selected, copied and
// read out. And the style of the drawing: the page's own colours and font.

import { barButton } from '../../shared/code_block_bar.js';
import { element } from '../../shared/element.js';
import { t } from '../../shared/i18n.js';
import { html } from '../page/page.js';

/** A wide drawing is not made smaller than this part of its size: it scrolls. */
const SMALLEST = 0.75;
/** The kinds that have a name in the catalogue, by Mermaid's words. */
const KIND = /^(flowchart|sequence|class|state|er|gantt|pie|mindmap|timeline|journey|git)/;
/**
 * The page's colours, those of code as hues, in late/diagram.js's order.
 * @type {Record<string, string>}
 */
const COLOURS = {
  code: 'code',
  tint: 'tint',
  line: 'line',
  ink: 'ink',
  soft: 'soft',
  blue: 'code-name',
  green: 'code-string',
  amber: 'code-number',
  teal: 'code-type',
  violet: 'code-keyword',
};

export const night = matchMedia('(prefers-color-scheme: dark)');

/** The page is dark or light now. */
export const themeOfPage = () => html.dataset.theme ?? (night.matches ? 'dark' : 'light');

/** @param {Element} block */
export const isDrawn = (block) => block.hasAttribute('data-drawn');

/** The style for a drawing in this page. */
export function diagramStyle() {
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
  return { dark: themeOfPage() === 'dark', colours, font };
}

/**
 * @param {HTMLElement} block
 * @param {HTMLImageElement} image
 * @param {import('./diagram_frame.js').Drawing} drawing
 * @param {string} theme light or dark
 */
export function showDiagram(block, image, { kind, title, width }, theme) {
  Object.assign(image.dataset, { kind: KIND.exec(kind)?.[1] ?? 'other', title });
  nameDiagram(image);
  image.style.maxInlineSize = `max(100%, ${Math.ceil(SMALLEST * width)}px)`;
  const box = element(document, 'div', { 'data-part': 'diagram', tabindex: '0' }, image); // scrolls sideways
  const before = boxOf(block);
  const code = block.querySelector('code');
  const focused = [before, code].includes(/** @type {HTMLElement} */ (document.activeElement));
  if (before) before.replaceWith(box);
  else block.append(box);
  code?.removeAttribute('tabindex');
  block.dataset.drawn = theme;
  if (focused) box.focus({ preventScroll: true });
  barButton(block, 'diagram')?.setAttribute('aria-pressed', 'true');
}

/** What it is, in the page's language. @param {HTMLImageElement} image of a drawing */
export function nameDiagram(image) {
  const { kind, title } = image.dataset;
  const named = t(`content.diagram.${kind}`);
  image.alt = title ? t('content.diagram.title', { kind: named, title }) : t('content.diagram', { kind: named });
}

/** The source again. @param {HTMLElement} block */
export function hideDiagram(block) {
  const box = boxOf(block);
  const code = block.querySelector('code');
  const focused = box !== null && box === document.activeElement;
  code?.setAttribute('tabindex', '0');
  delete block.dataset.drawn;
  if (focused) code?.focus({ preventScroll: true });
  box?.remove();
  barButton(block, 'diagram')?.setAttribute('aria-pressed', 'false');
}

/** @param {Element} block @returns {HTMLElement | null} */
const boxOf = (block) => block.querySelector('[data-part=diagram]');
