import { temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { test } from 'node:test';
import type { SentEvent } from './event-body.ts';
import { readJournal, type JournalOptions } from './read-journal.ts';

// A machine of CI has no journal, so journalctl is a program that says what it was asked, in the export format.
const { path: folder } = temporaryFolder('journalctl');
writeFileSync(
  join(folder, 'journalctl'),
  `#!/bin/sh
for given in "$@"; do [ "$given" = "--unit=broken" ] && { echo "no such unit" >&2; exit 1; }; done
printf '__CURSOR=s=%s\\n__REALTIME_TIMESTAMP=1741944413589793\\nPRIORITY=3\\nSYSLOG_IDENTIFIER=app\\nMESSAGE=%s\\n\\n' 7 "$*"
for given in "$@"; do [ "$given" = "--follow" ] && exec sleep 60; done
exit 0
`,
  { mode: 0o755 },
);
process.env['PATH'] = `${folder}${delimiter}${process.env['PATH']}`;

const options: JournalOptions = {
  defaults: { host: 'web-1' },
  units: ['app.service'],
  since: undefined,
  follow: false,
  fromEnd: false,
  from: undefined,
  signal: new AbortController().signal,
};

async function all(events: ReturnType<typeof readJournal>): Promise<(SentEvent | 'idle')[]> {
  const found: (SentEvent | 'idle')[] = [];
  for await (const event of events) found.push(event);
  return found;
}

test('the entries of the journal, with a cursor as their place', async () => {
  const events = await all(readJournal(options));
  assert.equal(events.length, 1);
  const [event] = events;
  assert.ok(event !== 'idle' && event !== undefined);
  assert.equal(event.place!.head, 's=7');
  assert.deepEqual(JSON.parse(event.body.toString()), {
    host: 'web-1',
    __REALTIME_TIMESTAMP: '1741944413589793',
    PRIORITY: '3',
    SYSLOG_IDENTIFIER: 'app',
    MESSAGE: '--output=export --quiet --all --unit=app.service',
  });
  const from = event.place;
  const next = await all(readJournal({ ...options, from, units: [] }));
  assert.match(JSON.stringify(next), /--after-cursor=s=7/);
});

test('a journal that is followed is idle in between, and ends with its signal', async () => {
  const stop = new AbortController();
  const seen: string[] = [];
  for await (const event of readJournal({ ...options, follow: true, signal: stop.signal })) {
    seen.push(
      event === 'idle' ? 'idle' : String((JSON.parse(event.body.toString()) as { MESSAGE: string }).MESSAGE),
    );
    if (event === 'idle' && seen.length > 1) stop.abort();
  }
  assert.match(
    seen.find((line) => line !== 'idle')!,
    /--follow --no-tail$/,
  );
});

test('what journalctl complains of is said', async () => {
  await assert.rejects(all(readJournal({ ...options, units: ['broken'] })), /journalctl: no such unit/);
});
