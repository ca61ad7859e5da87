// The clipboard. A page on plain http has no `navigator.clipboard`, and a browser may refuse it: then the text is copied
// as a selection, and if that is refused too, it stands selected in a dialog, for the person's own keys.

import { element } from '../../shared/element.js';
import { t } from '../../shared/i18n.js';
import { find } from './page.js';

/** @param {string} text @returns {Promise<boolean>} false when the person has to do it, in the dialog that is open now */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyElsewise(text);
  }
}

/** @param {string} text */
function copyElsewise(text) {
  if (copySelected(text)) return true;
  offer(text);
  return false;
}

/** Copies it as the selection of a field that is there for a moment. @param {string} text */
function copySelected(text) {
  const focused = document.activeElement;
  const ranges = selected();
  const field = fieldOf(text);
  field.dataset.part = 'copied';
  (document.querySelector('dialog[open]') ?? document.body).append(field);
  field.select();
  const done = document.execCommand('copy');
  field.remove();
  if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
  select(ranges);
  return done;
}

/** @param {string} text */
function fieldOf(text) {
  const field = /** @type {HTMLTextAreaElement} */ (element(document, 'textarea', { readonly: '', dir: 'auto' }));
  field.value = text;
  field.ariaLabel = t('copy.label');
  return field;
}

/** The selection of the page, which a focused field would end. */
function selected() {
  const selection = getSelection();
  return Array.from({ length: selection?.rangeCount ?? 0 }, (_, i) => selection?.getRangeAt(i).cloneRange());
}

/** @param {(Range | undefined)[]} ranges */
function select(ranges) {
  if (ranges.length) getSelection()?.removeAllRanges();
  for (const range of ranges) if (range) getSelection()?.addRange(range);
}

/** @param {string} text */
function offer(text) {
  const dialog = find('dialog[data-part=copy]');
  const field = fieldOf(text);
  dialog.querySelector('textarea')?.remove();
  dialog.querySelector('form')?.append(field);
  /** @type {HTMLDialogElement} */ (dialog).showModal();
  field.select();
}

/** A copy whose text comes later: the browser wants the request within the click, before the engine answers. */
export class PendingCopy {
  /** @type {((text: string) => void) | null} */
  #resolve = null;

  /** @returns {Promise<boolean>} as `copyText` */
  async begin() {
    const text = new Promise((/** @type {(text: string) => void} */ resolve) => (this.#resolve = resolve));
    const blob = text.then((plain) => new Blob([plain], { type: 'text/plain' }));
    try {
      await navigator.clipboard.write([new ClipboardItem({ 'text/plain': blob })]);
      return true;
    } catch {
      return copyElsewise(await text);
    }
  }

  /** @param {string} text */
  finish(text) {
    this.#resolve?.(text);
    this.#resolve = null;
  }
}
