// The settings dialog. A choice holds at once, and its owner learns of it.

import { element } from '../../shared/element.js';
import { LANGUAGES, t } from '../../shared/i18n.js';
import { CHOICES, applyTheme, prefer, preferred } from '../page/preferences.js';
import { explain } from './shortcuts.js';

/** @typedef {import('../page/preferences.js').Name} Name */

export class Settings {
  /**
   * @param {HTMLDialogElement} dialog
   * @param {object} on
   * @param {(language: string) => void} on.language another language was chosen
   * @param {() => void} on.unsaved the browser does not store the choice
   * @param {() => void} on.open
   */
  constructor(dialog, on) {
    this.dialog = dialog;
    this.on = on;
    this.made = false;
    dialog.addEventListener('change', (event) => this.#changed(event.target));
    // A click beside it lands on the dialog itself: its content covers all of its box.
    dialog.addEventListener('click', (event) => event.target === dialog && dialog.close());
  }

  /** @param {string} [part] data-part of the section to scroll to */
  open(part) {
    if (!this.made) this.#make();
    this.made = true;
    if (!this.dialog.open) this.dialog.showModal();
    this.on.open();
    const section = part ? this.dialog.querySelector(`[data-part=${part}]`) : this.dialog.querySelector('form');
    section?.scrollIntoView({ block: 'start' });
  }

  /** Only when it is first opened (a reload does not wait for it), and in another language. */
  #make() {
    for (const select of this.dialog.querySelectorAll('select')) this.#fill(select);
    this.#explain();
  }

  #explain() {
    const list = this.dialog.querySelector('[data-part=shortcuts] dl');
    if (list instanceof HTMLElement) explain(list);
  }

  /** In another language. */
  relabel() {
    if (this.made) this.#make();
    this.on.open();
  }

  /** @param {HTMLSelectElement} select */
  #fill(select) {
    const name = /** @type {Name} */ (select.name);
    if (!Object.hasOwn(CHOICES, name)) return;
    const options = CHOICES[name].map((value) => {
      const own = name === 'language' && Object.hasOwn(LANGUAGES, value);
      const text = own ? LANGUAGES[/** @type {keyof typeof LANGUAGES} */ (value)] : t(`settings.${name}.${value}`);
      return element(document, 'option', own ? { value, lang: value } : { value }, text);
    });
    select.replaceChildren(...options);
    select.value = preferred(name);
  }

  /** @param {EventTarget | null} target */
  #changed(target) {
    if (!(target instanceof HTMLSelectElement) || !Object.hasOwn(CHOICES, target.name)) return;
    const name = /** @type {Name} */ (target.name);
    if (!prefer(name, target.value)) this.on.unsaved();
    if (name === 'theme') applyTheme();
    if (name === 'language') this.on.language(target.value);
    if (name === 'enter') this.#explain();
  }
}
