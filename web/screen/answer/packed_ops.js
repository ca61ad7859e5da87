// Packed patches, the form of ops on the port: the ops of midstream/patch.py in one flat array. An id is the distance
// back from the newest element (0), and an open has no id of its own. patch.py packs them.

import { PatchError } from '../../shared/apply.js';
import { PACKED_FIELDS } from '../../shared/constants.js';

/**
 * @param {unknown} packed
 * @param {number} opened elements opened so far, which is the id of the newest one
 * @returns {unknown[][]} ops, whose values are still to be checked
 * @throws {PatchError} when it cannot be cut into ops
 */
export function unpack(packed, opened) {
  if (!Array.isArray(packed)) throw new PatchError('the packed ops are not an array');
  const ops = [];
  for (let at = 0; at < packed.length; ) {
    const code = packed[at];
    const end = at + 1 + PACKED_FIELDS[code];
    if (!(end <= packed.length)) throw new PatchError(`a packed op is cut short at ${at}`);
    const [back, ...rest] = packed.slice(at + 1, end);
    const id = opened - back;
    ops.push(code === 0 ? [code, id, ...rest, ++opened] : [code, id, ...rest]);
    at = end;
  }
  return ops;
}
