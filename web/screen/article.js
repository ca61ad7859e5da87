// The nodes of one turn: an article with a heading for screen readers, the content, the status line and the buttons.

import { Applier } from './apply.js';
import { t } from './i18n.js';
import { clean } from './status.js';

/** The buttons under an answer, in their order; each is an intent of the same name. */
export const ACTIONS = ['retry', 'continue', 'edit', 'remove', 'copy', 'save', 'regenerate'];

/**
 * @typedef {object} Turn
 * @property {string} id
 * @property {HTMLElement} article
 * @property {HTMLElement} content
 * @property {HTMLElement} line the status line
 * @property {HTMLButtonElement[]} actions
 * @property {Applier | null} applier null for the person's turns: their text is never parsed
 * @property {number} n the patch that is shown, 0 for none
 * @property {boolean} asked a reset is on its way: other patches do not fit any more
 * @property {import('./status.js').Status} status
 * @property {number} drawn when the status line was written
 * @property {Set<string>} said what of this answer is spoken only once
 */

/**
 * @param {string} id
 * @param {'user' | 'assistant'} author
 * @param {string} text of a person's turn
 * @param {number} number of an answer, from 1
 * @returns {Turn}
 */
export function make(id, author, text, number) {
  const answer = author === 'assistant';
  const article = document.createElement('article');
  Object.assign(article.dataset, { author, message: id, seq: '0', saved: '0' });
  article.ariaLabel = answer ? t('turn.assistant', { n: number }) : t('turn.user');
  const heading = part('h2', 'heading');
  heading.textContent = article.ariaLabel;
  const content = part('div', 'content');
  const line = part('p', 'status');
  const foot = part('footer', 'foot');
  foot.append(line);
  article.append(heading, content, foot);
  const actions = answer ? ACTIONS.map(action) : [];
  if (answer) foot.append(group(actions, number));
  else plain(content, text);
  const status = { .../** @type {import('./status.js').Status} */ (clean({ state: 'sending' })), at: 0 };
  const applier = answer ? new Applier(content) : null;
  return { id, article, content, line, actions, applier, n: 0, asked: false, status, drawn: 0, said: new Set() };
}

/**
 * @param {HTMLElement} content
 * @param {string} text
 */
function plain(content, text) {
  content.dir = 'auto';
  content.textContent = text;
}

/**
 * @param {HTMLButtonElement[]} actions
 * @param {number} n
 */
function group(actions, n) {
  const element = part('div', 'actions');
  element.role = 'group';
  element.ariaLabel = t('turn.actions', { n });
  element.append(...actions);
  return element;
}

/** @param {string} name */
function action(name) {
  const button = document.createElement('button');
  return Object.assign(button, { type: 'button', name, hidden: true, textContent: t(`button.${name}`) });
}

/**
 * @param {string} tag
 * @param {string} name
 */
function part(tag, name) {
  const element = document.createElement(tag);
  element.dataset.part = name;
  return element;
}
