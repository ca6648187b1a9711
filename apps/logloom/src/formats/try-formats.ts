import { Normalizer, readEvent } from '@logloom/ingest';
import type { UserFormats } from '@logloom/ingest/formats';
import type { TimeZone } from '@logloom/ingest/time-zone';
import { formatMicros } from '@logloom/schemas';
import type { Settings } from '../settings.ts';
import { readFile } from '../send/read-file.ts';
import { UnknownFields, type UnknownCounts } from '../send/unknown-fields.ts';

/** How sure the reading of an event is. */
export type Sureness = 'sure' | 'likely' | 'guess' | 'unknown';

/** An event of the file, and how it was read. */
export interface TriedEvent {
  /** The number of its last line. */
  line: number;
  layout: string | undefined;
  sureness: Sureness;
  /** As it would be stored; undefined when it would be refused. */
  event: Record<string, unknown> | undefined;
  refused?: string;
}

export interface Trial {
  events: number;
  /** The number of events by layout. */
  layouts: Record<string, number>;
  /** The number of events whose time, level or service nothing says. */
  unknown: UnknownCounts;
}

export interface TryOptions {
  settings: Pick<Settings, 'INGEST_ID_PATTERNS' | 'CORRELATION_ID_ORDER'>;
  formats: UserFormats | undefined;
  zone: TimeZone;
  service: string | undefined;
  /** Events to give to `onEvent`. */
  limit: number;
  onEvent: (event: TriedEvent) => void;
}

/** Reads a file as `send` does and shows what ingest would make of it. Sends nothing. Throws CommandError for a file that cannot be read. */
export async function tryFormats(file: string, options: TryOptions): Promise<Trial> {
  const { settings, formats, zone, service, limit, onEvent } = options;
  const normalizer = new Normalizer(settings.INGEST_ID_PATTERNS, {
    idOrder: settings.CORRELATION_ID_ORDER,
    formats,
  });
  const unknown = new UnknownFields();
  const layouts: Record<string, number> = {};
  const format = { zone, service, formats, defaults: { service }, countsLines: true };
  let events = 0;
  for await (const { body, end, layout, content } of readFile(file, { format })) {
    const receivedAtMs = Date.now();
    layouts[layout ?? 'no layout'] = (layouts[layout ?? 'no layout'] ?? 0) + 1;
    unknown.count(content, file);
    if (events++ >= limit) continue;
    const source = { kind: 'http', topic: 'try', partition: 0, offset: events, index: 0 };
    const read = readEvent(body.toString(), source, receivedAtMs, normalizer);
    const common = { line: end, layout, sureness: surenessOf(layout, content, formats) };
    if ('code' in read) onEvent({ ...common, event: undefined, refused: `${read.message} (${read.code})` });
    else {
      const isReceipt = read.timestamp === receivedAtMs * 1000;
      const { correlationId, host, traceId, attributes } = read;
      onEvent({
        ...common,
        event: {
          timestamp: isReceipt ? 'of its receipt' : formatMicros(read.timestamp),
          level: read.level,
          service: read.service,
          ...(host !== null && { host }),
          message: read.message,
          ...(correlationId !== null && { correlationId }),
          ...(traceId !== null && { traceId }),
          attributes: JSON.parse(attributes) as unknown,
        },
      });
    }
  }
  return { events, layouts, unknown: unknown.counts };
}

function surenessOf(
  layout: string | undefined,
  content: string | Readonly<Record<string, unknown>>,
  formats: UserFormats | undefined,
): Sureness {
  if (layout === undefined) return 'unknown';
  if (formats?.layouts.some(({ name }) => name === layout) === true) return 'sure';
  if (layout === 'level') return 'guess';
  if (layout !== 'header' || typeof content === 'string') return 'sure';
  return 'timestamp' in content && 'level' in content ? 'likely' : 'guess';
}
