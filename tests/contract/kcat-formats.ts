import type { LogConnection } from '@logloom/runtime';
import { topics } from '@logloom/schemas';
import avro from 'avsc';
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  expectedGood,
  goodMakers,
  type GoodEvent,
  type RawSeed,
} from '../../services/ingest/src/testing/fuzz-records.ts';

const run = promisify(execFile);

export const missingKcat: false | string = spawnSync('kcat', ['-V']).status === 0 ? false : 'no kcat';

const recordsEach = 10;

/** A schema of an application's own. */
const appLog = avro.Type.forSchema({
  type: 'record',
  name: 'AppLog',
  namespace: 'com.example',
  fields: [
    { name: 'time', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'severity', type: { type: 'enum', name: 'Severity', symbols: ['INFO', 'WARN'] } },
    { name: 'app', type: 'string' },
    { name: 'msg', type: 'string' },
    { name: 'trace_id', type: ['null', 'string'] },
  ],
});

/**
 * Has kcat produce records of each format of logs.raw, with the header that names it and without; returns what must be found. kcat takes
 * a record as it is, so nothing of ours lies between the bytes and Kafka.
 */
export async function produceByKcat(
  { env, folder }: { env: Record<string, string>; folder: string },
  { serde }: LogConnection,
): Promise<GoodEvent[]> {
  const makers = [...(await goodMakers(serde)), await appLogMaker(env['SCHEMA_REGISTRY_URL']!)];
  mkdirSync(join(folder, 'kcat'));
  const expected: GoodEvent[] = [];
  for (const [format, make] of makers.entries())
    for (const isNamed of [true, false]) {
      const names = Array.from({ length: recordsEach }, (_, n) => `kcat-${format}-${isNamed}-${n}`);
      expected.push(...names.map(expectedGood));
      const records = names.map(make);
      const files = records.map(({ bytes }, i) => {
        const file = join(folder, 'kcat', names[i]!);
        writeFileSync(file, bytes);
        return file;
      });
      const header = isNamed ? ['-H', `content-type=${records[0]!.type}`] : [];
      const broker = ['-b', env['KAFKA_BROKERS']!, '-t', topics.raw, '-X', 'acks=all'];
      await run('kcat', ['-P', ...broker, ...header, ...files]);
    }
  return expected;
}

/** As an application registers its own schema, and frames what it writes to it. */
async function appLogMaker(registryUrl: string): Promise<(name: string) => RawSeed> {
  const response = await fetch(`${registryUrl}/subjects/app-log-value/versions`, {
    method: 'POST',
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify({ schema: JSON.stringify(appLog.schema({ exportAttrs: true })) }),
  });
  assert.equal(response.status, 200);
  const { id } = (await response.json()) as { id: number };
  const head = Buffer.alloc(5);
  head.writeUInt32BE(id, 1);
  const { timestamp, service, correlationId } = expectedGood('');
  return (msg) => ({
    type: 'application/vnd.confluent.avro',
    bytes: Buffer.concat([
      head,
      appLog.toBuffer({
        time: timestamp / 1000,
        severity: 'WARN',
        app: service,
        msg,
        trace_id: correlationId,
      }),
    ]),
  });
}
