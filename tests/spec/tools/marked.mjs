// Makes tests/spec/data/marked.json: what marked prints for the inputs of marked.toml.
//
//     python3 -c 'import json, tomllib; print(json.dumps(tomllib.load(open("tests/spec/data/marked.toml", "rb"))))' |
//         node tests/spec/tools/marked.mjs FOLDER_WITH_NODE_MODULES > tests/spec/data/marked.json
//
// Run once per version of marked; the result is kept, so that the tests need no Node.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';

const require = createRequire(`${process.argv[2] ?? process.cwd()}/`);
const { marked } = await import(require.resolve('marked'));
const { version } = JSON.parse(
  readFileSync(require.resolve('marked/package.json', { paths: [process.argv[2] ?? '.'] }), 'utf8'),
);
const inputs = JSON.parse(readFileSync(0, 'utf8')).case;
const html = Object.fromEntries(inputs.map(({ name, markdown }) => [name, marked.parse(markdown)]));
process.stdout.write(`${JSON.stringify({ marked: version, html }, null, 1)}\n`);
