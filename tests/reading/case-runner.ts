import { SqliteEventLog } from '@logloom/event-log';
import { createEmbeddedSchemaRegistry, createSerde } from '@logloom/schema-registry';
import { topics, type LogEvent } from '@logloom/schemas';
import { eventually, temporaryFolder } from '@logloom/testing';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createCli } from '../../apps/logloom/src/cli.ts';
import { freeSyslogPort, startForTest } from '../../services/ingest/src/testing/ingest-harness.ts';
import type { Outcome } from './compare-case.ts';
import { inputOf, type ReadingCase } from './reading-case.ts';

const http = {
  ingest: { path: '/ingest', type: 'application/x-ndjson' },
  bulk: { path: '/_bulk', type: 'application/x-ndjson' },
  'otlp-json': { path: '/v1/logs', type: 'application/json' },
  loki: { path: '/loki/api/v1/push', type: 'application/json' },
} as const;

const sentinel = 'reading-sentinel';
/** How long a datagram may take; one that gives fewer events than expected takes all of it. */
const datagramMs = 1200;

interface Answer {
  rejected?: unknown[];
  rejectedCount?: number;
  items?: Record<string, { status: number }>[];
  partialSuccess?: { rejectedLogRecords?: string | number };
}

/** One ingest service, through which cases go one after another; what they became is read from its log. */
export class CaseRunner implements AsyncDisposable {
  readonly #folder: string;
  readonly #syslogPort: number;
  readonly #service: Awaited<ReturnType<typeof startForTest>>;
  readonly #log: SqliteEventLog;
  readonly #serde: Awaited<ReturnType<typeof createSerde>>;
  #next = 0;
  #cases = 0;

  private constructor(
    folder: string,
    syslogPort: number,
    service: Awaited<ReturnType<typeof startForTest>>,
    serde: Awaited<ReturnType<typeof createSerde>>,
  ) {
    this.#folder = folder;
    this.#syslogPort = syslogPort;
    this.#service = service;
    this.#serde = serde;
    this.#log = new SqliteEventLog(join(folder, 'log'));
  }

  static async start(): Promise<CaseRunner> {
    const folder = temporaryFolder('reading').path;
    const syslogPort = await freeSyslogPort();
    const service = await startForTest(folder, { SYSLOG_PORT: String(syslogPort), LOG_PARTITIONS: '1' });
    return new CaseRunner(folder, syslogPort, service, await createSerde(createEmbeddedSchemaRegistry()));
  }

  async run(each: ReadingCase): Promise<Outcome> {
    this.#cases++;
    const sentAtMs = Date.now();
    if (each.door === 'syslog-tcp' || each.door === 'syslog-udp')
      return { events: await this.#sendSyslog(each), rejected: 0, sentAtMs };
    const rejected =
      each.door === 'file' ? await this.#sendFile(each) : await this.#post(each, http[each.door]);
    return { events: await this.#newEvents(), rejected, sentAtMs };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#log.close();
    await this.#service.drain();
  }

  /** Returns how many events were refused. */
  async #post(each: ReadingCase, { path, type }: { path: string; type: string }): Promise<number> {
    const response = await fetch(this.#service.address + path, {
      method: 'POST',
      headers: { 'content-type': each.contentType ?? type },
      body: new Uint8Array(inputOf(each)),
    });
    const text = await response.text();
    const inWords = /^(\d+) of \d+ entries refused/.exec(text);
    if (inWords !== null) return Number(inWords[1]);
    const answer = (text.startsWith('{') ? JSON.parse(text) : {}) as Answer;
    const rejected =
      answer.rejectedCount ??
      answer.rejected?.length ??
      answer.items?.filter((item) => Object.values(item)[0]!.status >= 300).length ??
      Number(answer.partialSuccess?.rejectedLogRecords ?? 0);
    if (!response.ok && rejected === 0) throw new Error(`${response.status} ${text.slice(0, 200)}`);
    return rejected;
  }

  async #sendFile(each: ReadingCase): Promise<number> {
    const folder = join(this.#folder, `file-${this.#cases}`);
    mkdirSync(folder);
    const path = join(folder, each.fileName ?? 'case.log');
    writeFileSync(path, inputOf(each));
    const lines: string[] = [];
    const cli = createCli({
      env: { ...process.env, XDG_STATE_HOME: folder },
      signal: new AbortController().signal,
      write: (line) => void lines.push(line),
      note: () => {},
    });
    const send = ['send', '--json', '--ingest-url', this.#service.address, path];
    // It fails when lines were rejected; then the result is printed all the same.
    await cli.parseAsync(['node', 'logloom', ...send]).catch((error: unknown) => {
      if (lines.length === 0) throw error;
    });
    return (JSON.parse(lines.at(-1)!) as { rejected: number }).rejected;
  }

  async #sendSyslog(each: ReadingCase): Promise<LogEvent[]> {
    const events: LogEvent[] = [];
    const read = async (): Promise<void> => void events.push(...(await this.#newEvents()));
    if (each.door === 'syslog-tcp') await this.#writeTcp(inputOf(each));
    else {
      await this.#sendDatagram(inputOf(each));
      for (const end = Date.now() + datagramMs; Date.now() < end && events.length < each.expect.length;) {
        await sleep(5);
        await read();
      }
    }
    const end = `end of case ${this.#cases}`;
    await this.#writeTcp(Buffer.from(`<14>1 - - ${sentinel} - - - ${end}\n`));
    await eventually('the end of the case', async () => {
      await read();
      return events.some(({ message }) => message === end);
    });
    return events.filter(({ service }) => service !== sentinel);
  }

  async #writeTcp(bytes: Buffer): Promise<void> {
    const socket = connect(this.#syslogPort, '127.0.0.1').resume();
    const closed = once(socket, 'close');
    socket.end(bytes);
    await closed;
  }

  async #sendDatagram(bytes: Buffer): Promise<void> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve, reject) =>
      socket.send(bytes, this.#syslogPort, '127.0.0.1', (error) =>
        error === null ? resolve() : reject(error),
      ),
    );
    socket.close();
  }

  /** The events since the last call, in the order in which they were sent. */
  async #newEvents(): Promise<LogEvent[]> {
    const records = await this.#log.read(topics.events, 0, this.#next, 1000);
    if (records.length === 0) return [];
    this.#next = records.at(-1)!.offset + 1;
    await this.#serde.load(records.map(({ value }) => value));
    return records.flatMap(({ value }) => {
      const decoded = this.#serde.decode(value);
      return decoded.name === 'LogEvent' ? [decoded.value] : [];
    });
  }
}
