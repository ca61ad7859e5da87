// Made from midstream/engine/ports by `python -m tooling.assets.port`: do not edit.

export interface ProblemFields {
  code: string;
  values: Record<string, any>;
  quote?: string;
  parts?: any[];
}

export interface TurnFields {
  message: string;
  author: 'user' | 'assistant';
  status: StatusFields;
  text?: string;
  versions?: number[];
}

export interface StatusFields {
  state: 'sending' | 'waiting' | 'streaming' | 'catching-up' | 'reconnecting' | 'offline' | 'queued' | 'complete' | 'stopped' | 'interrupted' | 'failed' | 'length';
  seq?: number;
  saved?: number;
  tokens?: number;
  seconds?: number;
  rate?: number;
  seams?: number[];
  sure?: boolean;
  error?: Record<string, any>;
  thought?: number;
  stopping?: boolean;
  attempt?: number;
  retry_at?: number;
  head?: number;
  resumed?: number;
  keeper?: string;
  queue?: number[];
  waits?: boolean;
}

export interface FoundItem {
  id: string;
  title: any[];
  message: string;
  snippet: any[];
  spellings: string[];
}

export interface ConversationItem {
  id: string;
  title: string;
  updated: number;
  state: string;
  pinned?: boolean;
  server?: boolean;
}

export interface DeletedItem {
  id: string;
  title: string;
}

export interface EndpointItem {
  name: string;
  url: string;
  model: string;
  own: boolean;
  key?: string;
  keep?: string;
}

export interface HelloMessage {
  type: 'hello';
  version: string;
  protocol: number;
}

export interface EndpointMessage {
  type: 'endpoint';
  name: string;
  kind: 'gateway' | 'openai' | 'demo';
  url: string;
  model: string;
  note: string;
  about: string;
  options: Record<string, any>;
  continues: string;
}

export interface EndpointsMessage {
  type: 'endpoints';
  items: EndpointItem[];
  chosen: string;
}

export interface TestedMessage {
  type: 'tested';
  test: number | null;
  code: string;
  host: string;
  detail: string;
  models: string[];
  status: number;
  problem: Record<string, any> | null;
  url: string;
}

export interface ConversationsMessage {
  type: 'conversations';
  items: ConversationItem[];
  deleted: DeletedItem[];
}

export interface FoundMessage {
  type: 'found';
  n: any;
  items?: FoundItem[];
  more?: boolean;
  done?: boolean;
  failed?: string;
  problem?: ProblemFields;
}

export interface ConversationMessage {
  type: 'conversation';
  id: string | null;
  title: string;
  turns: TurnFields[];
  at?: string;
  patches?: PatchMessage[];
}

export interface TurnMessage {
  type: 'turn';
  conversation: string;
  turn: TurnFields;
  after?: string;
}

export interface PatchMessage {
  type: 'patch';
  message: string;
  n: number;
  seq: number;
  packed: any[];
  reset?: boolean;
  thought?: string;
  source?: string;
}

export interface ColoursMessage {
  type: 'colours';
  message: string;
  node: number;
  kept: number;
  spans: number[];
}

export interface StatusMessage {
  state: 'sending' | 'waiting' | 'streaming' | 'catching-up' | 'reconnecting' | 'offline' | 'queued' | 'complete' | 'stopped' | 'interrupted' | 'failed' | 'length';
  seq?: number;
  saved?: number;
  tokens?: number;
  seconds?: number;
  rate?: number;
  seams?: number[];
  sure?: boolean;
  error?: Record<string, any>;
  thought?: number;
  stopping?: boolean;
  attempt?: number;
  retry_at?: number;
  head?: number;
  resumed?: number;
  keeper?: string;
  queue?: number[];
  waits?: boolean;
  type: 'status';
  message: string;
}

export interface SourceMessage {
  type: 'source';
  message: string;
  n: number;
  text: string;
}

export interface RemovedMessage {
  type: 'removed';
  conversation: string;
  messages: string[];
}

export interface DraftMessage {
  type: 'draft';
  conversation: string;
  text: string;
}

export interface KeepMessage {
  type: 'keep';
  changes: any[][];
}

export interface ConnectionMessage {
  type: 'connection';
  state: 'online' | 'offline' | 'reconnecting';
}

export interface DownloadMessage {
  type: 'download';
  name: string;
  mime: string;
  text: string;
}

export interface PreferredMessage {
  type: 'preferred';
}

export interface ClipboardMessage {
  type: 'clipboard';
  text: string;
}

export interface NoticeMessage {
  type: 'notice';
  code: string;
  level: 'error' | 'info';
  detail?: string;
  problem?: ProblemFields;
}

export interface PlainIntent {
  type: 'new' | 'flush' | 'visible' | 'delete-all';
}

export interface OpenIntent {
  type: 'open';
  conversation: string | null;
  painted?: Record<string, number>;
}

export interface SendIntent {
  type: 'send';
  conversation: string | null;
  message: string;
  text: string;
  after?: string;
  edits?: string;
}

export interface MessageIntent {
  type: 'stop' | 'retry' | 'regenerate' | 'continue' | 'edit' | 'remove' | 'save' | 'copy' | 'source' | 'reset';
  message: string;
}

export interface VersionIntent {
  type: 'version';
  message: string;
  step?: number;
}

export interface ConversationIntent {
  type: 'delete' | 'undelete';
  conversation: string;
}

export interface RenameIntent {
  type: 'rename';
  conversation: string;
  title: string;
}

export interface PinIntent {
  type: 'pin';
  conversation: string;
  on: boolean;
}

export interface ExportIntent {
  type: 'export';
  conversation?: string;
  format?: 'markdown' | 'html' | 'json';
  words?: Record<string, string>;
}

export interface ImportIntent {
  type: 'import';
  text: string;
}

export interface KeptIntent {
  type: 'kept';
  records: any[][];
}

export interface PreferIntent {
  type: 'prefer';
  language: string;
}

export interface KeysIntent {
  type: 'keys';
  keys: Record<string, string>;
}

export interface EndpointNameIntent {
  type: 'endpoint-choose' | 'endpoint-remove';
  name: string;
}

export interface EndpointAddIntent {
  type: 'endpoint-add';
  endpoint: Record<string, string>;
  key?: string;
  keep?: string;
}

export interface EndpointTestIntent {
  type: 'endpoint-test';
  test: number;
  endpoint: Record<string, string>;
  key?: string;
}

export interface NetworkIntent {
  type: 'network';
  online: boolean;
}

export interface SearchIntent {
  type: 'search';
  text: string;
  n: number;
}

export type Message = HelloMessage | EndpointMessage | EndpointsMessage | TestedMessage | ConversationsMessage | FoundMessage | ConversationMessage | TurnMessage | PatchMessage | ColoursMessage | StatusMessage | SourceMessage | RemovedMessage | DraftMessage | KeepMessage | ConnectionMessage | DownloadMessage | PreferredMessage | ClipboardMessage | NoticeMessage;

export type Intent = PlainIntent | OpenIntent | SendIntent | MessageIntent | VersionIntent | ConversationIntent | RenameIntent | PinIntent | ExportIntent | ImportIntent | KeptIntent | PreferIntent | KeysIntent | EndpointNameIntent | EndpointAddIntent | EndpointTestIntent | NetworkIntent | SearchIntent;
