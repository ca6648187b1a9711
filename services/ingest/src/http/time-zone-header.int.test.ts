import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readEvents, startForTest, temporaryFolder } from '../testing/ingest-harness.ts';

test('times without a zone are in that of the sender, else of the setting; an unknown zone is refused', async () => {
  using folder = temporaryFolder();
  {
    await using service = await startForTest(folder.path, { INGEST_TIME_ZONE: 'America/New_York' });
    const send = async (message: string, query = '', headers: Record<string, string> = {}) => {
      const time = message.startsWith('zoned') ? '2025-07-14 09:26:53 +0200' : '2025-07-14 09:26:53';
      const response = await fetch(`${service.address}/ingest${query}`, {
        method: 'POST',
        headers,
        body: JSON.stringify({ message, time }),
      });
      const { error } = (await response.json()) as { error?: { code: string } };
      return error?.code ?? response.status;
    };
    assert.equal(await send('by the setting'), 200);
    assert.equal(await send('by the header', '', { 'logloom-time-zone': 'Europe/Berlin' }), 200);
    assert.equal(await send('by the parameter', '?time-zone=CEST'), 200);
    assert.equal(await send('zoned', '?time-zone=%2B09:00'), 200);
    assert.equal(await send('no zone', '?time-zone=Mars/Olympus'), 'bad-time-zone');
  }
  const hours = (await readEvents(folder.path)).map(({ message, timestamp }) => [
    message,
    new Date(timestamp / 1000).getUTCHours(),
  ]);
  assert.deepEqual(Object.fromEntries(hours), {
    'by the setting': 13,
    'by the header': 7,
    'by the parameter': 7,
    zoned: 7,
  });
});
