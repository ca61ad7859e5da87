// The visible branch of a conversation: one version of each message. engine/store/branches.py computes the same; this
// is for the first frame, before the engine is there. tests/unit/engine/store/branches.json and test_branches.py hold
// both to one result.

/** @typedef {Record<string, any>} Row a message as it is stored */

/**
 * @param {Row[]} messages in the order of their positions
 * @param {unknown} leaf a message of the branch, which ends at the newest below it; else the newest of all
 * @returns {{record: Row, versions: [number, number]}[]} `versions`: the number of this version, from 1, and of all
 */
export function line(messages, leaf) {
  const parents = parentsOf(messages);
  const records = new Map(messages.map((record) => [record.id, record]));
  /** By message: those that follow it. @type {Map<string, string[]>} */
  const after = new Map();
  for (const [id, parent] of parents) after.set(parent, [...(after.get(parent) ?? []), id]);
  const branch = [];
  for (let id = newest(parents, leaf); records.has(id); id = parents.get(id) ?? '') {
    const beside = after.get(parents.get(id) ?? '') ?? [];
    /** @type {[number, number]} */
    const versions = [beside.indexOf(id) + 1, beside.length];
    branch.push({ record: /** @type {Row} */ (records.get(id)), versions });
  }
  return branch.reverse();
}

/**
 * The newest of a message and all below it; '' when there is nothing.
 * @param {Map<string, string>} parents
 * @param {unknown} leaf
 */
function newest(parents, leaf) {
  if (typeof leaf !== 'string' || !parents.has(leaf)) return [...parents.keys()].at(-1) ?? '';
  const below = new Set([leaf]);
  let end = leaf;
  for (const [id, parent] of parents) {
    if (!below.has(parent)) continue;
    below.add(id);
    end = id;
  }
  return end;
}

/** By message, in their order: the one before it, '' for a first one. @param {Row[]} messages */
function parentsOf(messages) {
  /** @type {Map<string, string>} */
  const parents = new Map();
  const answered = new Map();
  const lost = new Map();
  let question = '';
  let last = '';
  for (const { id, author, question: asked, parent: named } of messages) {
    if (parents.has(id)) continue; // damaged: it would lead in a circle
    let parent;
    if (author === 'user') {
      const before = (answered.get(question) ?? question) || last;
      parent = typeof named === 'string' ? named : before;
      if (parent && !parents.has(parent)) {
        if (!lost.has(parent)) lost.set(parent, before);
        parent = lost.get(parent);
      }
      question = id;
    } else {
      parent = parents.has(asked) ? asked : question || last;
      answered.set(parent, id);
    }
    parents.set(id, parent);
    last = id;
  }
  return parents;
}
