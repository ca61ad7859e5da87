// What the app keeps in this browser: how much, and whether the browser may throw it away.

import { t } from './i18n.js';

const MEGABYTE = 1_000_000;

export class Usage {
  /** @param {HTMLElement} section of the settings */
  constructor(section) {
    this.section = section;
    this.protect = /** @type {HTMLButtonElement} */ (section.querySelector('button[name=protect]'));
    this.protect.addEventListener('click', () => void this.#protect());
  }

  /** As it is now. */
  async show() {
    const { storage } = navigator; // WebKitGTK and plain http have none
    const estimate = await storage?.estimate?.().catch(() => null);
    const kept = await storage?.persisted?.().catch(() => false);
    const line = this.section.querySelector('p');
    const values = { used: (estimate?.usage ?? 0) / MEGABYTE, of: Math.round((estimate?.quota ?? 0) / MEGABYTE) };
    if (line) line.textContent = `${t(estimate?.quota ? 'usage.of' : 'usage.unknown', values)} ${t(kept ? 'usage.kept' : 'usage.loose')}`;
    this.protect.hidden = !storage?.persist || Boolean(kept);
  }

  async #protect() {
    const granted = await navigator.storage.persist().catch(() => false);
    await this.show();
    const line = this.section.querySelector('p');
    if (!granted && line) line.textContent = t('usage.refused');
  }
}
