import type { IngestKey } from '@logloom/auth';
import { loadtestHeader, type Sender } from '@logloom/schemas';
import type { ActiveSpan, SpanSpec } from '@logloom/telemetry';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { MemoryClaim } from '../admission/memory-budget.ts';
import { RequestCost } from '../admission/request-cost.ts';
import { asIngestError, IngestError } from '../errors.ts';
import { sentLimits, type BatchLimits } from '../pipeline/batch-limits.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import { producerKind, producerScope, type ProducerTable } from '../producers/producer-table.ts';
import type { Producer } from '../producers/producer.ts';
import type { Meter } from '../quotas/quota-accounts.ts';
import type { HttpReceiverContext } from './http-receiver.ts';
import { readBackfill } from './backfill-header.ts';
import { readLoadtestRun } from './loadtest-header.ts';
import { readProducerHeaders, type ProducerHeaders } from './producer-headers.ts';
import { readBody } from './read-body.ts';
import type { TimeZone } from '../text/time/time-zone.ts';
import { readTimeZoneHeader } from './time-zone-header.ts';

/** Records of a request that wait for the log: twice its bytes, within these bounds. */
const leastWindowBytes = 64 * 1024;
const mostWindowBytes = 8 * 2 ** 20;

/** A request whose body has been received. */
export interface Received {
  body: Buffer;
  pipeline: Pipeline;
  /** The zone that the sender says for times without one; undefined: that of the settings. */
  zone: TimeZone | undefined;
  producer: Producer;
  /** The key of the sender; undefined where keys are not required. */
  key: IngestKey | undefined;
  sender: Sender;
  /** Milliseconds since 1970. */
  receivedAtMs: number;
  maxEventBytes: number;
  /**
   * Claims bytes beyond those of the body: what the receiver unpacks it to. Throws IngestError `body-too-large`, `overloaded`.
   */
  claim: (bytes: number) => void;
  /** Counts and claims the memory of the parts that the body is read into. */
  cost: RequestCost;
  limits: BatchLimits;
}

/** How many events of a request were accepted, rejected or durable already. */
export interface Counts {
  accepted: number;
  rejected: number;
  /** Numbered events that are durable since an earlier request. */
  duplicates?: number;
}

/** How a receiver handles a request. `T` is what it makes the response from. */
export interface RequestHandler<T> {
  span: SpanSpec;
  /** Whether the receiver reads bodies of a media type; '' where the client names none. */
  accepts: (type: string) => boolean;
  /** A content encoding that the receiver unpacks itself. */
  packed?: string;
  work: (received: Received) => Promise<T>;
  counts: (result: T) => Counts;
}

/**
 * Receives a request's body within the limits and passes it to the handler, in one span. The bytes stay claimed until the work is done.
 * Throws IngestError, also what `work` throws.
 */
export async function receive<T>(
  request: FastifyRequest,
  reply: FastifyReply,
  context: HttpReceiverContext,
  handler: RequestHandler<T>,
): Promise<T> {
  return context.tracing.receive(handler.span, headerOf(request, 'traceparent'), async (span) => {
    try {
      const run = readLoadtestRun(request, context);
      // Who sends it can rely on it: an earlier release would ignore the request's header.
      if (run !== undefined) reply.header(loadtestHeader, run);
      const marks = {
        ...(run !== undefined && { isLoadtest: true }),
        ...(readBackfill(request) && { isBackfill: true }),
      };
      const zone = readTimeZoneHeader(request);
      const result = await work(request, context, handler, marks, zone);
      const { duplicates = 0 } = handler.counts(result);
      if (duplicates > 0) reply.header('logloom-duplicates', String(duplicates));
      tell(span, reply.statusCode, handler.counts(result));
      return result;
    } catch (error) {
      tell(span, asIngestError(error as Error).status);
      throw error;
    }
  });
}

async function work<T>(
  request: FastifyRequest,
  context: HttpReceiverContext,
  handler: RequestHandler<T>,
  marks: Pick<Sender, 'isLoadtest' | 'isBackfill'>,
  zone: TimeZone | undefined,
): Promise<T> {
  const { settings, state, metrics } = context;
  const key = request.ingestKey;
  if (state.phase !== 'ready') throw new IngestError(state.phase);
  const trouble = state.storage?.trouble;
  if (trouble !== undefined) {
    request.raw.resume();
    throw new IngestError(trouble.code, trouble.message);
  }
  const meter = meterOf(request, context);
  admit(request, meter);
  if (!handler.accepts(mediaType(request))) throw new IngestError('unsupported-type');
  const producerHeaders = readProducerHeaders(request);
  const stopTimer = metrics.requestSeconds.startTimer();
  using claim = new MemoryClaim(context.memory);
  const { INGEST_MAX_BODY_BYTES: maxBodyBytes, INGEST_MAX_EVENT_BYTES: maxEventBytes } = settings;
  const body = await readBody(request.raw, maxBodyBytes, claim, handler.packed);
  metrics.bytes.inc(body.length);
  meter?.charge({ bytes: body.length });
  const received = {
    body,
    pipeline: zone === undefined ? state.pipeline! : state.pipeline!.inZone(zone),
    zone,
    producer: context.ownProducer,
    key,
    sender: { key: key?.name, address: request.ip, ...marks },
    receivedAtMs: Date.now(),
    maxEventBytes,
    claim: (bytes: number) => {
      if (bytes > maxBodyBytes) throw new IngestError('body-too-large');
      claim.take(bytes);
    },
    cost: new RequestCost(
      (bytes) => claim.takeParts(bytes),
      settings.INGEST_MAX_REQUEST_EVENTS,
      maxEventBytes,
    ),
    limits: sentLimits(
      {
        bytes: body.length,
        windowBytes: Math.max(leastWindowBytes, claim.takeUpTo(Math.min(2 * body.length, mostWindowBytes))),
        maxEventBytes,
      },
      claim,
    ),
  };
  const result = await (producerHeaders === undefined
    ? handler.work(received)
    : workNumbered(producerHeaders, received, state.producers!, handler));
  stopTimer();
  const { accepted, rejected, duplicates = 0 } = handler.counts(result);
  meter?.charge({ events: accepted + rejected + duplicates });
  return result;
}

/** The requests of one producer are processed one after another, so that each knows what those before it stored. */
async function workNumbered<T>(
  { id, epoch, first }: ProducerHeaders,
  received: Received,
  table: ProducerTable,
  handler: RequestHandler<T>,
): Promise<T> {
  const scope = producerScope(received.key?.name ?? '', id);
  let sequence = first;
  const producer: Producer = {
    next: () => ({ kind: producerKind, topic: scope, partition: epoch, offset: sequence++, index: 0 }),
    isNumbered: true,
    isDurable: (source) => table.isDurable(source),
    stored: (source) => table.stored(source),
  };
  return table.inOrder(scope, epoch, first, () => handler.work({ ...received, producer }));
}

/** Senders are distinguished by their keys or, where keys are not required, by their addresses. */
function meterOf(
  { ingestKey, ip }: FastifyRequest,
  { guard, addresses }: HttpReceiverContext,
): Meter | undefined {
  return ingestKey === undefined ? addresses?.meter(ip) : guard?.meter(ingestKey);
}

function admit({ raw }: FastifyRequest, meter: Meter | undefined): void {
  try {
    meter?.admit();
  } catch (error) {
    raw.resume();
    throw error;
  }
}

function tell(span: ActiveSpan, status: number, counts?: Counts): void {
  span.set({ 'http.response.status_code': status });
  if (counts === undefined) return;
  span.set({ 'logloom.events.accepted': counts.accepted, 'logloom.events.rejected': counts.rejected });
}

/** Returns the media type of the body, in lower case and without its parameters. */
export function mediaType(request: FastifyRequest): string {
  return (request.headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase();
}

function headerOf(request: FastifyRequest, name: string): string | undefined {
  const header = request.headers[name];
  return typeof header === 'string' ? header : undefined;
}
