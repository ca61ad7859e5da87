// The engine's start, failure and restart, as its document (engine/engine.js) reports them, and the service worker's
// messages.

import { has, t } from '../shared/i18n.js';
import { html, isEngineReady } from './page/page.js';

/**
 * @typedef {object} Parts
 * @property {import('./boot.js').Boot} boot
 * @property {import('./page/page.js').Notices} notices
 * @property {import('./page/port.js').Port} port
 * @property {import('./shell.js').Shell} shell
 */

export class EngineLifecycle {
  /** @param {Parts} parts */
  constructor(parts) {
    this.parts = parts;
  }

  /** @param {import('./page/port.js').FrameMessage} message from engine/engine.js */
  receive(message) {
    const { boot, shell } = this.parts;
    if (message.type === 'shell') {
      shell.show(message);
      // Damaged files have been fetched again.
      if (message.state === 'mended' && html.dataset.engine === 'failed') this.restart();
    } else if (message.type !== 'engine') return;
    else if (message.state === 'running') boot.expect(true);
    else if (message.state === 'loading') boot.loading(Number(message.done), Number(message.total));
    else if (message.state === 'lost') this.restart();
    else this.#fail(String(message.code), String(message.detail));
  }

  /**
   * @param {string} code of a failure that has a text; `error` is any other
   * @param {string} detail from Python or the browser, for a failure without a text
   */
  #fail(code, detail) {
    const { boot, notices } = this.parts;
    const key = `engine.failed.${code}`;
    const known = code !== 'error' && has(key);
    if (isEngineReady()) notices.show('failed', known ? () => t(key) : detail, true);
    else boot.fail(() => t(known ? key : 'engine.failed.error', { detail }));
  }

  /** The engine does not answer any more. All that was visible is stored, so another engine goes on from there. */
  restart() {
    const { boot, notices, port, shell } = this.parts;
    // Another tab has installed a new version: a new engine would be of that version, and this page is not.
    if (shell.outdated) return boot.fail(() => t('engine.failed.version'));
    if (!boot.restart()) return;
    notices.show('engine-restarted');
    port.restart();
  }
}
