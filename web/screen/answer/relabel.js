// The names of the parts of a content, in another language than the one in which they were made.

import { labelBlock } from '../../shared/code_block_bar.js';
import { t } from '../../shared/i18n.js';
import { nameDiagram } from '../diagrams/diagram_view.js';

/** @param {HTMLElement} content */
export function relabelContent(content) {
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
