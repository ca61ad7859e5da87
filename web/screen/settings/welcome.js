// The first page where nobody but the built-in demo can answer: what a refresh does, shown at once, and three ways to a model.

import { t } from '../../shared/i18n.js';
import { find, part } from '../page/page.js';

export class Welcome {
  /**
   * @param {object} on
   * @param {(words: string) => void} on.demo asks the demo
   * @param {(preset: string) => void} on.endpoint opens the form for one's own
   */
  constructor(on) {
    find('button[name=first-demo]').addEventListener('click', () => on.demo(t('first.demo.prompt')));
    find('button[name=first-server]').addEventListener('click', () => on.endpoint('Ollama'));
    find('button[name=first-key]').addEventListener('click', () => on.endpoint('OpenRouter'));
  }

  /** @param {unknown} kind of the endpoint that answers */
  show(kind) {
    part('first').hidden = kind !== 'demo';
    part('suggestions').hidden = kind === 'demo';
  }
}
