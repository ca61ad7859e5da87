// Characters that show nothing, and say something to a machine or turn the order of the others round: each of their units stands
// as a replacement character instead, so that what is seen and copied is what is there. As long as before, since the engine's
// counts are of these units.

/** A quick look: most texts have none of them. */
const SUSPECT = /[\u202A-\u202E\u2066-\u2069\uFE00-\uFE0F\u{E0000}-\u{E01EF}]/u;
// Tag characters, but for those of a flag (England, Scotland, Wales). Variation selectors, but for the first one after what it
// may change; one that was replaced counts as one. Embeddings and overrides of direction.
const HIDDEN =
  /(?<!\u{1F3F4}[\u{E0020}-\u{E007E}]{0,6})[\u{E0000}-\u{E007F}]|(?<!\p{Script=Han})[\u{E0100}-\u{E01EF}]|(?<=[\uFE00-\uFE0F\uFFFD])[\uFE00-\uFE0F]|[\u202A-\u202E]/gu;
/** Isolates are good manners in a sentence; in code they make a line read as another one. */
const TURNS = /[\u2066-\u2069]/g;
const MARK = '\uFFFD';
/** Units before a character that can be of importance for it. */
const CONTEXT = 16;

/**
 * @param {string} more
 * @param {string} before what it comes after, as it is shown
 * @param {boolean} code
 */
export function visible(more, before, code) {
  if (!SUSPECT.test(more)) return more;
  const start = before.slice(-CONTEXT);
  const all = (start + more).replace(HIDDEN, (found) => MARK.repeat(found.length)).slice(start.length);
  return code ? all.replace(TURNS, MARK) : all;
}
