const assert = require('node:assert');
const { test } = require('node:test');
const { handle } = require('..');

const log = { info() {} };

test('greets by name', async () => {
  const answer = await handle({ log, method: 'GET', query: { name: 'Ada' } });
  assert.deepStrictEqual(answer, { body: { hello: 'Ada' } });
});

test('answers with what it received', async () => {
  const answer = await handle({ log, method: 'POST', query: {} }, { a: 1 });
  assert.deepStrictEqual(answer, { body: { received: { a: 1 } } });
});
