// What is too large to be drawn, seen in the source: numbers that count things, things beside each other, and not the rest.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { isTooLarge } from '../../web/late/diagram_limits.js';

const many = (/** @type {number} */ n, /** @type {(i: number) => string} */ one, between = '\n') =>
  Array.from({ length: n }, (_, i) => one(i)).join(between);

/** @type {Record<string, string>} */
const LARGE = {
  'a space of a block': 'block-beta\n  columns 1\n  space:99999999\n  a\n',
  'columns of blocks': 'block\n  columns 99999\n  a b\n',
  'the width of a block': 'block-beta\n  a["A"]:70000\n',
  'bits of a packet': 'packet-beta\n  0-99999: "x"\n',
  'bits of a packet by their number': 'packet\n  +999999: "x"\n',
  'rings of a radar': 'radar-beta\n  axis a, b\n  curve c{1, 2}\n  ticks 99999999\n',
  'days of a task': 'gantt\n  dateFormat YYYY-MM-DD\n  excludes weekends\n  One :a, 2026-01-01, 99999999d\n',
  'years of a task': 'gantt\n  excludes weekends\n  One :a, 2026-01-01, 9999-01-01\n',
  'ticks of a Gantt chart': 'gantt\n  tickInterval 1millisecond\n  One :a, 2026-01-01, 3d\n',
  'a setting': '%%{init: {"flowchart": {"nodeSpacing": 99999999}}}%%\nflowchart LR\n  A --> B\n',
  'a setting with an exponent': '%%{init: {"gantt": {"barHeight": 9e9}}}%%\ngantt\n  One :a, 2026-01-01, 3d\n',
  'a setting before the text': '---\nconfig:\n  sequence:\n    width: 999_999\n---\nsequenceDiagram\n  A->>B: x\n',
  'nodes that nothing joins': `graph TD\n${many(750, (i) => `n${i}`, ';')}\n`,
  'nodes on one line': `flowchart TD\n  ${many(300, (i) => `n${i}`, ' & ')}\n`,
  'blocks on one line': `block-beta\n  ${many(300, (i) => `b${i}`, ' ')}\n`,
  'statements on one line': `sequenceDiagram\n${many(160, () => 'A->>B: x', ';')}`,
  lines: `flowchart LR\n${'  A --> B\n'.repeat(150)}`,
  characters: `flowchart LR\nA[${'long '.repeat(1000)}]`,
};

/** @type {Record<string, string>} */
const USUAL = {
  flowchart:
    'flowchart LR\n  A[Moon, 384400 km] -->|pulls| B(Sea of 1335000000 km3)\n  style A fill:#ff9900,stroke:#333333;\n',
  colours: '%%{init: {"theme": "base", "themeVariables": {"primaryColor": "#996633"}}}%%\nflowchart LR\n  A --> B\n',
  labels: `flowchart LR\n${many(45, (i) => `  A${i}["one two three four ${i}00000"] --> A${i + 1}["five six #quot;seven#quot;"]`)}`,
  sequence: 'sequenceDiagram\n  autonumber 1000000 1\n  You->>Model: order 123456789; please\n',
  block: 'block-beta\n  columns 3\n  a:2 b\n  space:3\n  c["In 2026"]\n',
  packet: 'packet-beta\n  0-15: "Source Port"\n  16-31: "Destination Port"\n  32-63: "Sequence Number 4294967295"\n',
  pie: 'pie title Money\n  "a" : 1234567890\n  "b" : 4\n',
  gantt:
    'gantt\n  dateFormat X\n  axisFormat %s\n  excludes weekends\n  One :a, 1700000000, 30d\n  Two :2026-01-01, 2027-02-01\n',
  chart: 'xychart-beta\n  x-axis [2021, 2022]\n  y-axis "Money" 0 --> 99999999\n  bar [12345678, 87654321]\n',
  sankey: 'sankey-beta\n\nA,B,99999999\n',
  timeline: 'timeline\n  title History\n  2002 : LinkedIn\n  20000 : Something\n',
  radar: 'radar-beta\n  axis a, b, c\n  curve d{85000, 90000, 3}\n  max 100000\n  ticks 5\n',
  git: 'gitGraph\n  commit id: "20260101"\n',
  remark: 'flowchart LR\n  %% space:99999999 columns 99999\n  A --> B\n',
};

test('too large', () => {
  for (const [name, text] of Object.entries(LARGE)) assert.equal(isTooLarge(text), true, name);
});

test('large numbers in a usual diagram', () => {
  for (const [name, text] of Object.entries(USUAL)) assert.equal(isTooLarge(text), false, name);
});

test('the look itself takes no longer than the text', () => {
  for (const text of [
    '%%{'.repeat(1300),
    '---\n'.repeat(140),
    '['.repeat(4000),
    'excludes '.repeat(440),
    '"'.repeat(4000),
  ]) {
    assert.equal(isTooLarge(`gantt\n${text}`.slice(0, 4000)), false, text.slice(0, 9));
  }
});
