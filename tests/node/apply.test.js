// The applier: every op that must not pass, and every address. That the valid ones give the reference tree: test_reference_tree.py.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { PatchError } from '../../web/shared/apply.js';
import { unpack } from '../../web/screen/answer/packed_ops.js';
import { applier, elements, hush, json, opsOf, speak } from './support.js';

speak();
hush();

const OUTSIDE = ['script', 'iframe', 'img', 'svg'];
const FOREIGN = ['onclick', 'style', 'id', 'name'];

test('a bad op is refused, and what stands there stays', () => {
  for (const bad of json('data/bad_ops.json')) {
    const content = applier();
    content.apply(opsOf(['p', 'before ']));
    assert.throws(() => content.apply([[1, 1, 'and'], bad, [1, 1, ' after']]), PatchError, JSON.stringify(bad));
    assert.equal(content.root.textContent, 'before and', JSON.stringify(bad));
  }
});

test('a bad op in the whole answer costs no text', () => {
  for (const bad of json('data/bad_ops.json')) {
    const content = applier();
    content.lenient = true;
    content.apply([[0, 0, 'p', 1], [1, 1, 'before and'], bad, [1, 1, ' after!']]);
    content.apply([[1, 1, ' On.']]);
    assert.equal(elements(content.root, 'p')[0].textContent, 'before and after! On.', JSON.stringify(bad));
    const all = [...content.root.querySelectorAll('*')];
    assert.deepEqual(
      all.filter((element) => OUTSIDE.includes(element.localName)),
      [],
    );
    assert.deepEqual(
      all.filter((element) => FOREIGN.some((name) => element.getAttribute(name) !== null)),
      [],
    );
  }
});

test('packed ops that are none are refused', () => {
  for (const packed of [5, 'p', [0, 0], [9, 0], [0, 'x', 'p'], [null]]) {
    assert.throws(() => applier().apply(unpack(packed, 0)), PatchError, JSON.stringify(packed));
  }
});

test('ops that are no array are refused', () => {
  for (const ops of [null, 5, 'ops', { length: 1 }]) assert.throws(() => applier().apply(ops), PatchError);
});

test('refused addresses leave the text', () => {
  const refused = [
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    ' javascript:alert(1)',
    'java\nscript:alert(1)',
    '\x01javascript:alert(1)',
    'data:text/html,<script>1</script>',
    'vbscript:x',
    'file:///etc/passwd',
    'blob:http://127.0.0.1/x',
    '//evil.example',
    '/v1/runs',
    'engine.html',
    '#engine',
    'http:evil.example',
    'https:/evil.example',
    'http://',
    'http://[bad',
    'https:\\\\evil.example',
    '',
  ];
  const content = applier();
  content.apply(
    opsOf(...refused.map((url) => ['p', ['a', { href: url }, 'link'], ['button', { 'data-src': url }, 'image']])),
  );
  assert.deepEqual(
    elements(content.root, 'p').map(({ textContent }) => textContent),
    refused.map(() => 'linkimage'),
  );
  for (const element of content.root.querySelectorAll('*')) {
    for (const name of ['href', 'data-src', 'data-host']) assert.equal(element.getAttribute(name), null);
  }
});

test('links say where they lead', () => {
  const content = applier();
  content.apply(
    opsOf(
      ['p', ['a', { href: 'https://example.org/a', title: 't' }, 'words']],
      ['p', ['a', { href: 'https://evil.example/a' }, 'https://bank.example/login']],
      ['p', ['a', { href: 'https://bank.example@evil.example/' }, 'bank.example']],
      ['p', ['a', { href: 'https://example.org/a' }, 'https://example.org/a']],
      ['p', ['a', { href: 'https://evil.example/' }, 'evil.example.bank.example']],
      ['p', ['a', { href: 'mailto:a@example.org' }, 'write']],
    ),
  );
  const links = elements(content.root, 'a');
  for (const link of links) {
    assert.equal(link.getAttribute('rel'), 'noopener noreferrer');
    assert.equal(link.getAttribute('target'), '_blank');
  }
  const said = links.map((link) => (link.getAttribute('data-plain') === null ? link.getAttribute('data-host') : ''));
  assert.deepEqual(said, ['example.org', 'evil.example', 'evil.example', '', 'evil.example', 'a@example.org']);
  assert.equal(links[2].getAttribute('href'), 'https://evil.example/');
});

test('letters and slashes that look like others are no address', () => {
  const plain = (/** @type {string} */ text, /** @type {string} */ href) => {
    const content = applier();
    content.apply([
      [0, 0, 'p', 1],
      [0, 1, 'a', 2],
      [2, 2, 'href', href],
      [1, 2, text],
    ]);
    return elements(content.root, 'a')[0].getAttribute('data-plain') !== null;
  };
  assert.equal(plain('https://apple.com/a', 'https://apple.com/a'), true);
  assert.equal(plain('apple.com', 'https://apple.com/'), true);
  assert.equal(plain('https://\u0430pple.com', 'https://\u0430pple.com'), false);
  assert.equal(plain('\u0430pple.com', 'https://\u0430pple.com'), false);
  assert.equal(plain('https://xn--pple-43d.com/', 'https://\u0430pple.com'), true);
  assert.equal(plain('https://evil.example/\u2215good.example', 'https://evil.example/'), false);
});
