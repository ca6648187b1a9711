import { temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { lastRecord } from './last-record.ts';

test('the last whole record is found, wherever the file ends', async () => {
  using folder = temporaryFolder('last-record');
  const file = join(folder.path, 'events');
  const of = async (text: string, format: 'ndjson' | 'csv') => {
    writeFileSync(file, text);
    return lastRecord(file, format);
  };
  const line = '{"id":"e","timestamp":"T1","message":"a\\n\\"b","partition":2,"offset":7}\n';
  assert.deepEqual(await of(line, 'ndjson'), { end: line.length, place: 'T1,2,7' });
  for (const cut of ['{', '{"id":"x","timestamp"', line.slice(0, -1)])
    assert.deepEqual(await of(line + cut, 'ndjson'), { end: line.length, place: 'T1,2,7' });
  assert.deepEqual(await of('{"id"', 'ndjson'), { end: 0, place: undefined });
  assert.deepEqual(await of('', 'csv'), { end: 0, place: undefined });

  const head = 'timestamp,message,partition,offset\r\n';
  const rows = ['T1,"a\r\nb, ""c""",0,5\r\n', 'T2,,1,6\r\n'];
  assert.deepEqual(await of(head, 'csv'), { end: head.length, place: undefined });
  assert.deepEqual(await of(head + rows[0]!, 'csv'), { end: (head + rows[0]!).length, place: 'T1,0,5' });
  const whole = head + rows.join('');
  for (const cut of ['', 'T3,"x\r\n', 'T3,"x\r\ny"', 'T3,"x""\r\n'])
    assert.deepEqual(await of(whole + cut, 'csv'), { end: whole.length, place: 'T2,1,6' });
  // Longer than what is read at once.
  const large = `T9,"${'y\r\n'.repeat(60_000)}",3,4\r\n`;
  assert.deepEqual(await of(whole + large, 'csv'), { end: (whole + large).length, place: 'T9,3,4' });
  await assert.rejects(of('id,message\r\n1,2\r\n', 'csv'), { code: 'command-failed' });
});
