import { eventually, freePort } from '@logloom/testing';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { Pipeline } from '../pipeline/pipeline.ts';
import { findAll, firstMillis, lineCount } from './lines.ts';
import { priorityOf, requestOf, syslogLevels } from './rsyslog.ts';
import { missing, rsyslog, shipThrough, syslogNg } from './syslog-daemons.ts';

const run = promisify(execFile);

const messageOf = (service: string, i: number): string =>
  `<${priorityOf(i)}>1 ${new Date(firstMillis + i).toISOString()} h1 ${service} 77 ID${i} ` +
  `[origin@32473 traceId="${traceOf(i)}" n="${i}"] line ${i} [${requestOf(i)}]`;
const traceOf = (i: number): string => (i + 1).toString(16).padStart(32, '0');

// Debian's rsyslog and syslog-ng exclude each other as packages; the second may be unpacked beside with dpkg-deb -x.
const daemons = [
  {
    name: 'rsyslog, RFC 5424, octet counting',
    service: 'rsyslog-5424',
    daemon: rsyslog('RSYSLOG_SyslogProtocol23Format', 'octet-counted'),
    skip: missing('rsyslogd'),
    has5424: true,
  },
  {
    name: 'rsyslog, RFC 3164, lines',
    service: 'rsyslog-3164',
    daemon: rsyslog('RSYSLOG_TraditionalForwardFormat', 'traditional'),
    skip: missing('rsyslogd'),
    has5424: false,
  },
  {
    name: 'syslog-ng, RFC 5424, octet counting',
    service: 'syslog-ng-5424',
    daemon: syslogNg('syslog("127.0.0.1" port(%PORT%) transport("tcp") frac-digits(3))'),
    skip: missing('syslog-ng'),
    has5424: true,
  },
  {
    name: 'syslog-ng, RFC 3164, lines',
    service: 'syslog-ng-3164',
    daemon: syslogNg('network("127.0.0.1" port(%PORT%) transport("tcp"))'),
    skip: missing('syslog-ng'),
    has5424: false,
  },
];

test(`syslog's own clients: ${lineCount} lines are found as they were sent`, async (t) => {
  const port = await freePort();
  await using pipeline = await Pipeline.create({
    SYSLOG_PORT: String(port),
    CORRELATION_IDLE_MS: '500',
    TZ: 'UTC',
  });
  await pipeline.start();
  const all = async (service: string): Promise<void> =>
    eventually(`every line of ${service} found`, async () => {
      const { total } = await pipeline.get<{ total: { value: number } }>(
        `/api/search?q=service:${service}&limit=1`,
      );
      return total.value >= lineCount;
    });

  for (const { name, service, daemon, skip, has5424 } of daemons)
    await t.test(name, { skip }, async () => {
      const messages = Array.from({ length: lineCount }, (_, i) => messageOf(service, i));
      await shipThrough(daemon, pipeline.dataFolder, port, messages, () => all(service));
      const found = await findAll(pipeline, service);
      assert.equal(found.length, lineCount);
      const byLine = new Map(found.map((event) => [Number(/^line (\d+) /.exec(event.message)![1]), event]));
      assert.equal(byLine.size, lineCount);
      for (const [i, event] of byLine) {
        assert.equal(event.message, `line ${i} [${requestOf(i)}]`);
        assert.equal(event.level, syslogLevels[i % 8]);
        assert.deepEqual([event.service, event.host], [service, 'h1']);
        const millis = has5424 ? firstMillis + i : Math.floor((firstMillis + i) / 1000) * 1000;
        assert.equal(Date.parse(event.timestamp), millis);
        assert.equal(event.correlationId, has5424 ? traceOf(i) : requestOf(i));
        const { syslog } = event.attributes as { syslog: Record<string, unknown> };
        assert.deepEqual([syslog['facility'], syslog['procid']], ['local0', '77']);
        if (has5424) assert.equal(syslog['msgid'], `ID${i}`);
      }
    });

  await t.test('logger', { skip: missing('logger') }, async () => {
    const before = Date.now();
    const perLevel = lineCount / 8;
    const names = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'];
    for (const [severity, level] of names.entries()) {
      const file = join(pipeline.dataFolder, `logger-${severity}`);
      const lines = Array.from({ length: perLevel }, (_, n) => severity + n * 8).map(
        (i) => `line ${i} [${requestOf(i)}]`,
      );
      writeFileSync(file, lines.join('\n'));
      const framing = severity % 2 === 0 ? ['--octet-count'] : [];
      await run('logger', [
        '--server',
        '127.0.0.1',
        '--port',
        String(port),
        '--tcp',
        ...framing,
        '--tag',
        'logger',
        '--id=77',
        '--priority',
        `local0.${level}`,
        '--file',
        file,
      ]);
    }
    await all('logger');
    const found = await findAll(pipeline, 'logger');
    const numbers = found.map((event) => {
      const i = Number(/^line (\d+) /.exec(event.message)![1]);
      assert.equal(event.level, syslogLevels[i % 8]);
      assert.equal(event.correlationId, requestOf(i));
      const at = Date.parse(event.timestamp);
      assert.ok(at >= before - 1000 && at <= Date.now());
      return i;
    });
    assert.deepEqual(
      numbers.toSorted((a, b) => a - b),
      Array.from({ length: lineCount }, (_, i) => i),
    );
  });
});
