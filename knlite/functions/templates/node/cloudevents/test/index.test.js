// Needs: npm install
const assert = require('node:assert');
const { test } = require('node:test');
const { CloudEvent } = require('cloudevents');
const { handle } = require('..');

test('answers with what it received', async () => {
  const event = new CloudEvent({ type: 'order.paid', source: '/shop', data: { order: 17 } });
  const answer = await handle({ log: { info() {} } }, event);
  assert.strictEqual(answer.type, 'function.response');
  assert.deepStrictEqual(answer.data, { received: { order: 17 } });
});
