// What an address of the app may name: a conversation, or a text that another app shares.

/** A conversation that is not stored yet: in an address, in `midstream.tab`, and as the key of its draft. */
export const NEW = 'new';

/** What an address may bring beside the conversation: `share_target` and `protocol_handlers` in manifest.json. */
const SHARED = ['title', 'text', 'url', 'link'];

/** Does another app share a text by this address? @param {URLSearchParams} query */
export const hasSharedText = (query) => SHARED.some((name) => query.has(name));

/** The conversation that an address names: a new one for a shared text. @param {URLSearchParams} query */
export const conversationOf = (query) => query.get('c') || (hasSharedText(query) ? NEW : null);
