import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readDeadLetters, readEvents, startForTest, temporaryFolder } from '../../testing/ingest-harness.ts';

test('plain text at /ingest: layouts, stack traces, JSON between them, the zone of the request, what is too large', async () => {
  using folder = temporaryFolder();
  {
    await using service = await startForTest(folder.path, { INGEST_MAX_EVENT_BYTES: '2000' });
    const post = async (body: string | Buffer, type = 'text/plain; charset=utf-8', query = '') => {
      const response = await fetch(`${service.address}/ingest${query}`, {
        method: 'POST',
        headers: { 'content-type': type },
        body: typeof body === 'string' ? body : new Uint8Array(body),
      });
      return [response.status, await response.json()];
    };
    const trace =
      '2026-01-01T00:00:02Z ERROR it broke\njava.lang.IllegalStateException: no\n\tat a.B.c(B.java:1)';
    const lines = [
      '2026-01-01 00:00:01 WARN first',
      trace,
      '{"message":"json","level":"debug"}',
      'x'.repeat(3000),
      'caf\u00e9',
    ];
    assert.deepEqual(
      await post(Buffer.from(`${lines.join('\r\n')}\n`, 'latin1'), undefined, '?time-zone=CET'),
      [
        200,
        {
          accepted: 4,
          rejected: [
            { line: 6, code: 'event-too-large', message: 'the event is larger than INGEST_MAX_EVENT_BYTES' },
          ],
        },
      ],
    );
    assert.deepEqual(await post('[main] one'), [200, { accepted: 1, rejected: [] }]);
    assert.deepEqual(await post(' [{"message":"a list"}]'), [200, { accepted: 1, rejected: [] }]);
    const [status] = await post('{"message":"broken');
    assert.equal(status, 400, 'what begins as JSON is JSON');
    assert.equal((await post(' \n\n'))[0], 400);
    assert.equal((await post('a text', 'application/json'))[0], 400);
  }
  const events = await readEvents(folder.path);
  const found = events.map(({ level, message }) => `${level} ${message.split(/\r?\n/, 1)[0]}`).sort();
  assert.equal(events.length, 6);
  assert.ok(events.some(({ level, message }) => level === 'debug' && message === 'json'));
  assert.ok(events.some(({ message }) => message === 'caf\u00e9'));
  assert.deepEqual(
    found.filter((text) => /first|broke/.test(text)),
    ['error it broke', 'warn first'],
  );
  assert.ok(events.some(({ message, attributes }) => `${message}${attributes}`.includes('a.B.c(B.java:1)')));
  const first = events.find(({ message }) => message === 'first')!;
  assert.equal(new Date(first.timestamp / 1000).toISOString(), '2025-12-31T23:00:01.000Z');
  const codes = (await readDeadLetters(folder.path)).map(({ code }) => code);
  assert.deepEqual(codes.sort(), ['bad-json', 'bad-json', 'event-too-large']);
});
