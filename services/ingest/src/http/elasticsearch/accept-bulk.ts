import type { LogEvent, Source } from '@logloom/schemas';
import { isUtf8 } from 'node:buffer';
import { crc32 } from 'node:zlib';
import type { Bulk, BulkMeta } from './bulk-body.ts';
import { createdItem, duplicateItem, refusedItem } from './elasticsearch-response.ts';
import type { Counts, Received } from '../receive-request.ts';
import { reject, type IngestError, type Rejection } from '../../errors.ts';
import { inSlices } from '../../pipeline/in-slices.ts';
import { ifAllowed } from '../../admission/key-guard.ts';
import { freeName } from '../../event/free-name.ts';
import { readEvent } from '../../event/read-event.ts';
import { rsyslogFields } from './rsyslog-document.ts';
import { spans } from '../../telemetry.ts';

export interface BulkReceipt extends Counts {
  /** The response to each item, as JSON, in the order of the request. */
  items: string[];
}

/**
 * Accepts the documents of a bulk request. Resolves when all is durable. A document of a service that is over its quota gets 429 and is
 * not kept: its sender still has it and sends it again alone. Throws IngestError `log-unavailable`, and `quota-exceeded` when every
 * document belongs to such a service.
 */
export async function acceptBulk({ count, items }: Bulk, received: Received): Promise<BulkReceipt> {
  const { body, pipeline, producer, receivedAtMs } = received;
  const ids: string[] = [];
  const batch = pipeline.open('elasticsearch', {
    limits: received.limits,
    sender: received.sender,
    producer,
    onId: (id) => void ids.push(id),
  });
  const responses: ((nextId: () => string) => string)[] = [];
  const receipt = { accepted: 0, rejected: 0, duplicates: 0, items: [] as string[] };
  const wholeIsUtf8 = isUtf8(body);
  let overQuota = 0;
  let last: IngestError | undefined;
  await pipeline.tracing.child(spans.normalize, () =>
    inSlices(items, batch, ({ meta, piece }) => {
      const source = producer.next();
      const bytes = body.subarray(piece.start, piece.end);
      if (producer.isNumbered) source.index = contentOf(bytes, meta);
      const result =
        batch.tooManyRejected ??
        ifAllowed(readItem(bytes, meta, source, wholeIsUtf8, received), received.key);
      if (!('code' in result) && batch.isDuplicate(result)) {
        responses.push(() => duplicateItem(meta));
        receipt.duplicates++;
        return;
      }
      const over = 'code' in result ? undefined : batch.overQuota(result);
      if (over !== undefined) {
        overQuota++;
        last = over;
        responses.push(() => refusedItem(meta, reject(over.code, over.message)));
        receipt.rejected++;
        return;
      }
      if ('code' in result) {
        responses.push(() => refusedItem(meta, result));
        batch.refuseText(result, source, receivedAtMs, bytes);
        receipt.rejected++;
      } else {
        responses.push((nextId) => createdItem(meta, nextId()));
        batch.accept(result);
        receipt.accepted++;
      }
    }),
  );
  if (last !== undefined && overQuota === count) throw last;
  await batch.done();
  let next = 0;
  for (const response of responses) receipt.items.push(response(() => ids[next++]!));
  return receipt;
}

/** Returns a checksum of a numbered document and of what its metadata adds to it, to tell its content from another one's. */
function contentOf(bytes: Buffer, { index, id, routing }: BulkMeta): number {
  return crc32(bytes, crc32(JSON.stringify([index, id, routing]))) | 0;
}

function readItem(
  bytes: Buffer,
  meta: BulkMeta,
  source: Source,
  wholeIsUtf8: boolean,
  { pipeline, receivedAtMs, maxEventBytes }: Received,
): LogEvent | Rejection {
  if (meta.action === 'update' || meta.action === 'delete')
    return reject('unsupported-action', `${meta.action} is not supported: events are only added`);
  if (bytes.length > maxEventBytes) return reject('event-too-large');
  if (!wholeIsUtf8 && !isUtf8(bytes)) return reject('invalid-utf8');
  return readEvent(bytes.toString('utf8'), source, receivedAtMs, pipeline.normalizer, (document) => ({
    ...rsyslogFields(document),
    members: membersOf(meta, document),
  }));
}

/** Returns Elasticsearch's metadata fields as JSON members under the names that they have there. */
function membersOf({ index, id, routing }: BulkMeta, document: Readonly<Record<string, unknown>>): string {
  let members = '';
  for (const [name, value] of [
    ['_index', index],
    ['_id', id],
    ['_routing', routing],
  ] as const) {
    if (value === undefined) continue;
    members += `,${JSON.stringify(freeName(name, document))}:${JSON.stringify(value)}`;
  }
  return members;
}
