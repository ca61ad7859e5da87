// The text of a prompt, as it is sent.

/**
 * Without the blank lines before it and the white space after it. The first line keeps its indentation: it may be Python
 * or YAML. midstream/text.py does the same; tests/unit/twins/prompts.json tests both.
 * @param {string} text
 */
export const promptOf = (text) => text.trimEnd().replace(/^(?:[^\S\n]*\n)+/, '');
