// The first page: suggestions for a question, or, where only the built-in demo can answer, a demonstration and ways to
// a model.

import { element } from '../../shared/element.js';
import { t } from '../../shared/i18n.js';
import { find, part } from '../page/page.js';

export class Welcome {
  /**
   * @param {object} on
   * @param {(text: string) => void} on.demo asks the demo
   * @param {(text: string) => void} on.suggestion begins a question
   * @param {(preset: string) => void} on.endpoint opens the form for one's own
   */
  constructor(on) {
    this.on = on;
    find('button[name=first-demo]').addEventListener('click', () => on.demo(t('first.demo.prompt')));
    find('button[name=first-server]').addEventListener('click', () => on.endpoint('Ollama'));
    find('button[name=first-key]').addEventListener('click', () => on.endpoint('OpenRouter'));
  }

  /** Writes the suggestions, in the page's language. */
  label() {
    part('suggestions').replaceChildren();
    for (const n of [1, 2, 3]) {
      const text = t(`empty.try.${n}`);
      const button = element(document, 'button', { type: 'button', name: 'suggestion' }, text);
      button.addEventListener('click', () => this.on.suggestion(text));
      part('suggestions').append(element(document, 'li', {}, button));
    }
  }

  /** @param {unknown} kind of the endpoint that answers */
  show(kind) {
    part('first').hidden = kind !== 'demo';
    part('suggestions').hidden = kind === 'demo';
  }
}
