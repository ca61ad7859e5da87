// One line of JSON for each test of a file: its name, and what was wrong with it ('' for nothing). What a test prints is left out.

import { relative } from 'node:path';

/** @param {AsyncIterable<{type: string, data: any}>} source */
export default async function* reporter(source) {
  for await (const { type, data } of source) {
    const ended = type === 'test:pass' || type === 'test:fail';
    if (!ended || data.nesting > 0 || data.name.endsWith('.test.js')) continue;
    const error = data.details.error?.cause ?? data.details.error;
    const place = relative(process.cwd(), `${data.file}:${data.line}`);
    const wrong = type === 'test:pass' ? '' : `${place}\n${error?.stack ?? error?.message ?? error}`;
    yield `${JSON.stringify([data.name, wrong])}\n`;
  }
}
