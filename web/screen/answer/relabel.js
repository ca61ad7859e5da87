// Our words in a turn, in another language than the one in which they were written.

import { drawQuestion, drawStatus, labelTurn } from '../../shared/article.js';
import { labelBlock } from '../../shared/code_block_bar.js';
import { t } from '../../shared/i18n.js';
import { nameDiagram } from '../diagrams/diagram_view.js';
import { labelSource } from './source.js';
import { markVersion } from './version_picker.js';

/** @typedef {import('../../shared/article.js').Turn} Turn */

/**
 * @param {Turn} turn
 * @param {number} number of an answer, from 1
 * @param {boolean} dead there is no engine, and none will come before a reload
 */
export function relabelTurn(turn, number, dead) {
  labelTurn(turn, number);
  labelSource(turn, number);
  markVersion(turn, turn.versions);
  drawStatus(turn, dead);
  if (turn.applier) relabelContent(turn.content);
  else drawQuestion(turn);
}

/** @param {HTMLElement} content */
function relabelContent(content) {
  for (const block of content.querySelectorAll('pre[data-block]')) {
    labelBlock(block, block.querySelector('code')?.dataset.language ?? '');
  }
  for (const [i, table] of content.querySelectorAll('table').entries())
    table.ariaLabel = t('content.table', { n: i + 1 });
  for (const box of content.querySelectorAll('input')) {
    box.ariaLabel = t(box.hasAttribute('checked') ? 'content.task.done' : 'content.task.open');
  }
  for (const picture of content.querySelectorAll('button[data-src]')) {
    picture.setAttribute('title', t('content.image', { host: String(picture.getAttribute('data-host')) }));
  }
  for (const image of content.querySelectorAll('img')) nameDiagram(image);
}
