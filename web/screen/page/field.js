// A field that a message is written in: the composer, and a question that is edited in its place.

/** For browsers without `field-sizing`. @param {HTMLTextAreaElement} area */
export function grow(area) {
  if (CSS.supports('field-sizing', 'content')) return;
  area.style.blockSize = 'auto';
  area.style.blockSize = `${area.scrollHeight}px`;
}

/**
 * Enter that ends the composition of a character (Japanese, Chinese, …) belongs to the input method; Safari sends it after the
 * composition, recognisable by its code only.
 * @param {KeyboardEvent} event
 */
export const isComposed = (event) => event.isComposing || event.keyCode === 229;
