// Text fields for messages: the composer's, and the one of a question that is edited in its place.

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
