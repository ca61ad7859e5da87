// The choice of an endpoint: choosing one, adding one's own, testing it. The engine owns the list. Keys that shall live
// only as long as the tab are stored here, and every engine gets them.

import { element } from '../../shared/element.js';
import { t } from '../../shared/i18n.js';
import { problemText, withQuote } from '../../shared/problem.js';
import { loadItem, storeItem } from '../page/tab.js';

/** @typedef {import('../page/port.js').Intent} Intent */
/** @typedef {{name: string, url: string, model: string, own: boolean, key?: string, keep?: string}} Item */

/** The usual addresses of servers, by kind. @type {Record<string, string>} */
const PRESETS = {
  Ollama: 'http://127.0.0.1:11434/v1',
  'llama.cpp': 'http://127.0.0.1:8080/v1',
  'LM Studio': 'http://127.0.0.1:1234/v1',
  vLLM: 'http://127.0.0.1:8000/v1',
  OpenRouter: 'https://openrouter.ai/api/v1',
  OpenAI: 'https://api.openai.com/v1',
};
const KEYS = 'midstream.keys';

/** The tab's keys, by base URL. @returns {Record<string, string>} */
export function keysOfTab() {
  const stored = Object.entries(loadItem('sessionStorage', KEYS) ?? {});
  return Object.fromEntries(stored.filter(([, key]) => typeof key === 'string'));
}

/** @param {Record<string, string>} keys @returns {boolean} false when the browser refuses: they hold until a reload */
const storeKeys = (keys) => storeItem('sessionStorage', KEYS, keys);

/** The form in which the engine has it. @param {string} url */
const baseOf = (url) => url.trim().replace(/(?<!\/)\/+$/, '');

export class Endpoints {
  /**
   * @param {HTMLElement} section of the settings
   * @param {object} on
   * @param {(message: Intent) => void} on.intent
   * @param {() => void} on.unsaved the browser does not store the key
   */
  constructor(section, on) {
    this.section = section;
    this.on = on;
    this.test = 0; // of several tests the newest counts
    /** @type {Item[]} */
    this.items = [];
    /** The line about a test. */
    this.said = { words: () => '', url: '' };
    const { chosen, preset } = this.fields;
    chosen.addEventListener('change', () => on.intent({ type: 'endpoint-choose', name: chosen.value }));
    preset.append(...Object.keys(PRESETS).map((name) => element(document, 'option', { value: name }, name)));
    preset.addEventListener('change', () => this.#preset());
    section.addEventListener('click', (event) => this.#clicked(event.target));
    section.addEventListener('keydown', (event) => this.#key(event));
    section.addEventListener('input', () => this.#say(() => ''));
  }

  get fields() {
    /** @param {string} name */
    const field = (name) => /** @type {any} */ (this.section.querySelector(`[name=${name}]`));
    /** @type {{chosen: HTMLSelectElement, preset: HTMLSelectElement, keep: HTMLSelectElement, label: HTMLInputElement,
     *   url: HTMLInputElement, model: HTMLInputElement, key: HTMLInputElement}} */
    const all = {
      chosen: field('endpoint'),
      preset: field('preset'),
      keep: field('keep'),
      label: field('endpoint-name'),
      url: field('endpoint-url'),
      model: field('endpoint-model'),
      key: field('endpoint-key'),
    };
    return all;
  }

  /** @param {import('../page/port_types.js').EndpointsMessage} message */
  show({ items, chosen }) {
    this.items = Array.isArray(items) ? items.filter((item) => typeof item?.name === 'string') : [];
    const select = this.fields.chosen;
    select.replaceChildren(...this.items.map(({ name }) => element(document, 'option', { value: name }, name)));
    select.value = String(chosen);
    this.#list();
  }

  #list() {
    const list = this.section.querySelector('[data-part=own]');
    list?.replaceChildren(...this.items.filter(({ own }) => own).map((item) => this.#row(item)));
  }

  /** In another language. */
  relabel() {
    this.#list();
    this.#say(this.said.words, this.said.url);
  }

  /** @param {Item} item one that the person has added */
  #row({ name, url, model, key, keep }) {
    const stored = keep === 'device' ? 'device' : 'session';
    const secret = key ? t(`settings.key.${stored}`, { key }) : t('settings.key.none');
    const details = [url, model, secret].filter(Boolean).join(' · ');
    const line = element(document, 'span', {}, element(document, 'b', { dir: 'auto' }, name), ` ${details}`);
    const attributes = { type: 'button', name: 'endpoint-remove', value: name };
    const label = { 'aria-label': t('settings.remove', { name }) };
    const remove = element(document, 'button', { ...attributes, ...label }, t('button.remove'));
    return element(document, 'li', {}, line, remove);
  }

  /** The form for another endpoint, begun. @param {string} kind one of the presets */
  beginForm(kind) {
    const details = this.section.querySelector('details');
    if (details) details.open = true;
    const { preset, url, key } = this.fields;
    preset.value = kind;
    this.#preset();
    (PRESETS[kind].startsWith('https:') ? key : url).focus();
  }

  #preset() {
    const { preset, label, url } = this.fields;
    if (!Object.hasOwn(PRESETS, preset.value)) return;
    label.value = preset.value;
    url.value = PRESETS[preset.value];
    this.#say(() => '');
  }

  /** @param {EventTarget | null} target */
  #clicked(target) {
    const button = target instanceof Element ? target.closest('button') : null;
    if (button?.name === 'endpoint-test') this.#try();
    else if (button?.name === 'endpoint-add') this.#add();
    else if (button?.name === 'endpoint-remove') this.#remove(button.value);
  }

  /** @param {KeyboardEvent} event Enter in a field would close the dialog, whose form this stands in */
  #key(event) {
    if (event.key !== 'Enter' || !(event.target instanceof HTMLInputElement)) return;
    event.preventDefault();
    this.#add();
  }

  #described() {
    const { label, url, model } = this.fields;
    const host = URL.canParse(url.value) ? new URL(url.value).host : '';
    return { name: label.value.trim() || host, url: baseOf(url.value), model: model.value.trim(), kind: 'openai' };
  }

  #try() {
    this.#say(() => t('settings.testing'));
    const { key } = this.fields;
    this.on.intent({ type: 'endpoint-test', test: ++this.test, endpoint: this.#described(), key: key.value.trim() });
  }

  #add() {
    const { url, label, model, key, keep } = this.fields;
    const endpoint = this.#described();
    if (!endpoint.name || !URL.canParse(endpoint.url)) {
      const detail = url.value;
      this.#say(() => t('settings.test.url', { detail }));
      return url.focus();
    }
    const secret = key.value.trim();
    const keys = keysOfTab();
    delete keys[endpoint.url];
    if (secret && keep.value === 'session') keys[endpoint.url] = secret;
    if (!storeKeys(keys) && secret) this.on.unsaved();
    this.on.intent({ type: 'endpoint-add', endpoint, key: secret, keep: keep.value });
    for (const field of [url, label, model, key]) field.value = '';
    this.#say(() => t('settings.added', { name: endpoint.name }));
  }

  /** @param {string} name */
  #remove(name) {
    const keys = keysOfTab();
    const gone = this.items.find((item) => item.own && item.name === name);
    if (gone && keys[gone.url]) {
      delete keys[gone.url];
      storeKeys(keys);
    }
    this.on.intent({ type: 'endpoint-remove', name });
  }

  /** @param {import('../page/port_types.js').TestedMessage} message */
  tested({ test, code, host, detail, models, status, problem, url }) {
    if (test !== this.test) return;
    const names = Array.isArray(models) ? models.map(String) : [];
    const options = names.map((value) => element(document, 'option', { value }));
    this.section.querySelector('datalist')?.replaceChildren(...options);
    const values = { host: String(host), detail: String(detail), status: Number(status), n: names.length };
    const line = () => t(`settings.test.${code}`, { ...values, origin: location.origin });
    this.#say(() => withAnswer(line(), problem), code === 'nobody' ? String(url) : '');
    if (code === 'ok' && !this.fields.model.value && names.length) this.fields.model.value = names[0];
  }

  /** @param {() => string} words @param {string} [url] that the person may open: a page learns less from it */
  #say(words, url = '') {
    const line = this.section.querySelector('[data-part=tested]');
    const text = words();
    this.said = { words, url };
    if (!line || (line.textContent === text && !url)) return;
    line.replaceChildren(text, ...(/^https?:/.test(url) ? [' ', tabOf(url)] : []));
  }
}

/**
 * Our line, and behind it the server's own: translated if it is a gateway of ours, else as a quote.
 * @param {string} line
 * @param {any} problem
 */
function withAnswer(line, problem) {
  const answer = problemText('', problem);
  return answer && !GENERAL.test(problem.code) ? `${line} ${answer}` : withQuote(line, String(problem?.quote ?? ''));
}

/** Codes for an endpoint that sends none of ours: our line says the same. */
const GENERAL = /^endpoint_/;

/** A link that shows where it leads. @param {string} url */
function tabOf(url) {
  const link = element(document, 'a', { href: url, target: '_blank', rel: 'noreferrer' });
  link.textContent = t('settings.test.open', { host: new URL(url).host });
  return link;
}
