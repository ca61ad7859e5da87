// The settings, in a dialog of the page: a choice holds at once. What a choice changes is told to its owner.

import { element } from '../../shared/element.js';
import { LANGUAGES, t } from '../../shared/i18n.js';
import { explain } from './shortcuts.js';
import { CHOICES, dress, prefer, preferred } from '../page/preferences.js';

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

  /** @param {string} [part] data-part of what is to be seen first */
  open(part) {
    if (!this.made) this.#make();
    this.made = true;
    if (!this.dialog.open) this.dialog.showModal();
    this.on.open();
    const place = part ? this.dialog.querySelector(`[data-part=${part}]`) : this.dialog.querySelector('form');
    place?.scrollIntoView({ block: 'start' });
  }

  /** When it is opened first: a reload need not wait for it. */
  #make() {
    for (const select of this.dialog.querySelectorAll('select[name]')) this.#fill(/** @type {HTMLSelectElement} */ (select));
    const list = this.dialog.querySelector('[data-part=shortcuts] dl');
    if (list instanceof HTMLElement) explain(list);
  }

  /** @param {HTMLSelectElement} select */
  #fill(select) {
    const name = /** @type {Name} */ (select.name);
    if (!Object.hasOwn(CHOICES, name)) return;
    const options = CHOICES[name].map((value) => {
      const own = name === 'language' && Object.hasOwn(LANGUAGES, value);
      const words = own ? LANGUAGES[/** @type {keyof typeof LANGUAGES} */ (value)] : t(`settings.${name}.${value}`);
      return element(document, 'option', own ? { value, lang: value } : { value }, words);
    });
    select.replaceChildren(...options);
    select.value = preferred(name);
  }

  /** @param {EventTarget | null} target */
  #changed(target) {
    if (!(target instanceof HTMLSelectElement) || !Object.hasOwn(CHOICES, target.name)) return;
    const name = /** @type {Name} */ (target.name);
    if (!prefer(name, target.value)) this.on.unsaved();
    if (name === 'theme') dress();
    if (name === 'language') this.on.language(target.value);
  }
}
