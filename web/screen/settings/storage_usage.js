// The app's storage in this browser: its size, whether the browser may delete it, and the person's own way to delete
// it.

import { t } from '../../shared/i18n.js';

const MEGABYTE = 1_000_000;

export class Usage {
  /**
   * @param {HTMLElement} section of the settings
   * @param {() => void} erase all conversations are to go
   */
  constructor(section, erase) {
    this.section = section;
    /** @param {string} name */
    const button = (name) => /** @type {HTMLButtonElement} */ (section.querySelector(`button[name=${name}]`));
    this.protect = button('protect');
    this.erase = button('delete-all');
    this.sure = false; // the button was pressed once
    this.protect.addEventListener('click', () => void this.#protect());
    this.erase.addEventListener('click', () => {
      if (this.sure) erase();
      this.#ask(!this.sure);
    });
  }

  /** @param {boolean} sure */
  #ask(sure) {
    this.sure = sure;
    this.erase.textContent = t(sure ? 'usage.delete.sure' : 'usage.delete');
  }

  /** As it is now. */
  async show() {
    this.#ask(false);
    const { storage } = navigator; // WebKitGTK and plain http have none
    const estimate = await storage?.estimate?.().catch(() => null);
    const persisted = await storage?.persisted?.().catch(() => false);
    const line = this.section.querySelector('p');
    const values = { used: (estimate?.usage ?? 0) / MEGABYTE, of: Math.round((estimate?.quota ?? 0) / MEGABYTE) };
    const size = t(estimate?.quota ? 'usage.of' : 'usage.unknown', values);
    const kept = t(persisted ? 'usage.kept' : 'usage.loose');
    if (line) line.textContent = isSecureContext ? `${size} ${kept}` : t('usage.insecure');
    this.protect.hidden = !storage?.persist || Boolean(persisted);
  }

  async #protect() {
    const granted = await navigator.storage.persist().catch(() => false);
    await this.show();
    const line = this.section.querySelector('p');
    if (!granted && line) line.textContent = t('usage.refused');
  }
}
