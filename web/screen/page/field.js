// Text fields for messages: the composer's, and the one of a question that is edited in its place.

/**
 * A prompt without the blank lines before it and the white space after it. The first line keeps its indentation: it may
 * be Python or YAML. midstream/text.py does the same.
 * @param {string} text
 */
export const promptOf = (text) => text.trimEnd().replace(/^(?:[^\S\n]*\n)+/, '');

/** For browsers without `field-sizing`. @param {HTMLTextAreaElement} area */
export function growField(area) {
  if (CSS.supports('field-sizing', 'content')) return;
  area.style.blockSize = 'auto';
  area.style.blockSize = `${area.scrollHeight}px`;
}

/**
 * Enter that ends the composition of a character (Japanese, Chinese, …) belongs to the input method; Safari sends it
 * after the composition, recognisable by its code only.
 * @param {KeyboardEvent} event
 */
export const isComposed = (event) => event.isComposing || event.keyCode === 229;
