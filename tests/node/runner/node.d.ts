// As much of Node as these tests use. Its own declarations name timers otherwise than those of a page, for which web/ is written.

declare module 'node:test' {
  export function test(name: string, run: () => unknown): void;
  export function beforeEach(run: () => unknown): void;
}
declare module 'node:assert/strict' {
  const assert: any;
  export default assert;
}
declare module 'node:fs' {
  export function readFileSync(path: URL | string, encoding: 'utf8'): string;
  export function readdirSync(path: URL, options: { recursive: true }): string[];
}
declare module 'node:path' {
  export function relative(from: string, to: string): string;
}
declare const process: {
  cwd(): string,
  env: Record<string, string>,
  cpuUsage(before?: { user: number, system: number }): { user: number, system: number },
};
