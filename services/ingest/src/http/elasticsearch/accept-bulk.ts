import type { LogEvent, Source } from '@logloom/schemas';
import { isUtf8 } from 'node:buffer';
import { crc32 } from 'node:zlib';
import type { Bulk, BulkMeta } from './bulk-body.ts';
import type { Counts, Received } from '../receive-request.ts';
import { statusOf } from '@logloom/errors';
import { errors, reject, type ErrorCode, type IngestError, type Rejection } from '../../errors.ts';
import { inSlices } from '../../pipeline/in-slices.ts';
import { textPart } from '../../pipeline/joint-dead-letter.ts';
import { ifAllowed } from '../../admission/key-guard.ts';
import { readEvent } from '../../event/read-event.ts';
import { rsyslogFields } from './rsyslog-document.ts';
import { spans } from '../../telemetry.ts';

export interface BulkReceipt extends Counts {
  /** The answer to each item, as JSON, in the order of the request. */
  items: string[];
}

/**
 * Takes in the documents of a bulk request. Resolves when all is durable. A document of a service that is over its quota is answered
 * 429 and not kept: its sender has it, and repeats it alone. Throws IngestError `log-unavailable`, and `quota-exceeded` when every
 * document is of such a service.
 */
export async function acceptBulk({ count, items }: Bulk, received: Received): Promise<BulkReceipt> {
  const { body, intake, producer, receivedAt } = received;
  const ids: string[] = [];
  const unit = intake.open('elasticsearch', {
    limits: received.limits,
    sender: received.sender,
    producer,
    onId: (id) => void ids.push(id),
  });
  const answers: ((nextId: () => string) => string)[] = [];
  const receipt = { accepted: 0, rejected: 0, duplicates: 0, items: [] as string[] };
  const wholeIsUtf8 = isUtf8(body);
  let overQuota = 0;
  let last: IngestError | undefined;
  await intake.tracing.child(spans.normalize, () =>
    inSlices(items, unit, ({ meta, piece }) => {
      const source = producer.next();
      const bytes = body.subarray(piece.start, piece.end);
      if (producer.isNumbered) source.index = contentOf(bytes, meta);
      const result =
        unit.tooManyRejected ?? ifAllowed(readItem(bytes, meta, source, wholeIsUtf8, received), received.key);
      if (!('code' in result) && unit.isDuplicate(result)) {
        answers.push(() => duplicateItem(meta));
        receipt.duplicates++;
        return;
      }
      const over = 'code' in result ? undefined : unit.overQuota(result);
      if (over !== undefined) {
        overQuota++;
        last = over;
        answers.push(() => refusedItem(meta, reject(over.code, over.message)));
        receipt.rejected++;
        return;
      }
      if ('code' in result) {
        answers.push(() => refusedItem(meta, result));
        if (unit.hasLetterFor(bytes.length)) unit.refuse(result, source, receivedAt, bytes);
        else unit.refuseJointly(result, source, receivedAt, textPart(bytes), asItIs);
        receipt.rejected++;
      } else {
        answers.push((nextId) => createdItem(meta, nextId()));
        unit.accept(result);
        receipt.accepted++;
      }
    }),
  );
  if (last !== undefined && overQuota === count) throw last;
  await unit.done();
  let next = 0;
  for (const answer of answers) receipt.items.push(answer(() => ids[next++]!));
  return receipt;
}

/** Tells the content of a numbered document from another one's: a checksum of it and of what its metadata adds to it. */
function contentOf(bytes: Buffer, { index, id, routing }: BulkMeta): number {
  return crc32(bytes, crc32(JSON.stringify([index, id, routing]))) | 0;
}

const asItIs = (bytes: Buffer): Buffer => bytes;

function readItem(
  bytes: Buffer,
  meta: BulkMeta,
  source: Source,
  wholeIsUtf8: boolean,
  { intake, receivedAt, maxEventBytes }: Received,
): LogEvent | Rejection {
  if (meta.action === 'update' || meta.action === 'delete')
    return reject('unsupported-action', `${meta.action} is not supported: events are only added`);
  if (bytes.length > maxEventBytes) return reject('event-too-large');
  if (!wholeIsUtf8 && !isUtf8(bytes)) return reject('invalid-utf8');
  return readEvent(bytes.toString('utf8'), source, receivedAt, intake.normalizer, (document) => ({
    ...rsyslogFields(document),
    members: membersOf(meta, document),
  }));
}

/** Elasticsearch's metadata fields, under the names that they have there. */
function membersOf({ index, id, routing }: BulkMeta, document: Readonly<Record<string, unknown>>): string {
  let members = '';
  for (const [name, value] of [
    ['_index', index],
    ['_id', id],
    ['_routing', routing],
  ] as const) {
    if (value === undefined) continue;
    let free: string = name;
    while (free in document) free += '_';
    members += `,${JSON.stringify(free)}:${JSON.stringify(value)}`;
  }
  return members;
}

/** Elasticsearch's names. The last one is what its clients repeat a document for. */
const errorTypes: Partial<Record<ErrorCode, string>> = {
  'unsupported-action': 'action_request_validation_exception',
  'quota-exceeded': 'es_rejected_execution_exception',
};

/** What `_bulk` answers to an item that is durable. A document without an id has that of its event, as GET /api/events/{id} knows it. */
function createdItem(meta: BulkMeta, eventId: string): string {
  return (
    `{"${meta.action}":{${placeOf(meta, eventId)},"_version":1,"result":"created",` +
    `"_shards":{"total":1,"successful":1,"failed":0},"_seq_no":0,"_primary_term":1,"status":201}}`
  );
}

/** As Elasticsearch answers to an update that changes nothing. The id of its event is known only to the request that stored it. */
function duplicateItem(meta: BulkMeta): string {
  return `{"${meta.action}":{${placeOf(meta)},"_version":1,"result":"noop","status":200}}`;
}

function refusedItem(meta: BulkMeta, { code, message }: Rejection): string {
  const status = statusOf(errors[code]);
  const type = errorTypes[code] ?? 'document_parsing_exception';
  const reason = JSON.stringify(`${code}: ${message}`);
  const error = `"error":{"type":"${type}","reason":${reason}}`;
  return `{"${meta.action}":{${placeOf(meta)},"status":${status},${error}}}`;
}

function placeOf({ index, id }: BulkMeta, eventId?: string): string {
  const known = id ?? eventId;
  return `"_index":${JSON.stringify(index ?? '')},"_id":${known === undefined ? 'null' : JSON.stringify(known)}`;
}
