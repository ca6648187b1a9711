import type { IngestKey, RequestGuard } from '@logloom/auth';
import type { Sender } from '@logloom/schemas';
import type { Trouble } from '@logloom/runtime';
import type { Settings } from '@logloom/settings';
import type { ActiveSpan, SecurityLog, SpanSpec, Telemetry } from '@logloom/telemetry';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AddressQuotas } from '../quotas/address-limits.ts';
import { asIngestError, IngestError } from '../errors.ts';
import type { Intake, UnitLimits } from '../pipeline/pipeline.ts';
import type { KeyGuard } from '../admission/key-guard.ts';
import { producerKind, producerScope, type ProducerTable } from '../producers/producer-table.ts';
import type { Producer } from '../producers/producer.ts';
import type { Meter } from '../quotas/quota-accounts.ts';
import { RequestCost } from '../admission/request-cost.ts';
import { Claim, readBody, type PendingBytes } from './read-body.ts';
import type { IngestMetrics } from '../telemetry.ts';

/** Records of a request that wait for the log: twice its bytes, within these. */
const leastWindow = 64 * 1024;
const mostWindow = 8 * 2 ** 20;
const maxRejected = 10_000;
/** Dead letters of a request may be so much larger than the request. */
const letterSlack = 64 * 1024;

/** What the doors do with requests: `intake` is there from 'ready' on. */
export interface DoorState {
  phase: 'starting' | 'ready' | 'draining';
  intake: Intake | undefined;
  /** Set while nothing can be stored. */
  storage?: { readonly trouble: Trouble | undefined } | undefined;
  producers?: ProducerTable;
  /** Why the log can take nothing at present; undefined when it can, or nobody knows. */
  problem?: () => string | undefined;
}

/** What one request may be. */
export interface RequestLimits {
  INGEST_MAX_BODY_BYTES: number;
  INGEST_MAX_REQUEST_EVENTS: number;
}

export interface HttpDoorOptions {
  settings: Pick<Settings, 'INGEST_MAX_EVENT_BYTES' | 'INGEST_REQUEST_MS'> & RequestLimits;
  state: DoorState;
  pending: PendingBytes;
  metrics: IngestMetrics;
  logger: Telemetry['logger'];
  tracing: Telemetry['tracing'];
  /** Unset: pages of any origin, and under any name, may have browsers send. */
  requests?: { guard: RequestGuard; security: SecurityLog } | undefined;
  /** Unset: whoever reaches the port may send. */
  guard?: KeyGuard | undefined;
  /** Unset: no address has a quota. */
  addresses?: AddressQuotas | undefined;
}

/** What every door under the port shares: the options, and the numbers of clients that do not number their events themselves. */
export interface Doors extends HttpDoorOptions {
  ownProducer: Producer;
}

/** A request whose body is there. */
export interface Received {
  body: Buffer;
  intake: Intake;
  producer: Producer;
  /** Whose request it is; undefined where no keys are asked for. */
  key: IngestKey | undefined;
  sender: Sender;
  /** Milliseconds since 1970. */
  receivedAt: number;
  maxEventBytes: number;
  /**
   * Claims more bytes than the body's own: what it unpacks to further. Throws IngestError `body-too-large`, `overloaded`.
   */
  claim: (bytes: number) => void;
  /** Counts what the body is taken apart to, which is claimed too. */
  cost: RequestCost;
  limits: UnitLimits;
}

/** What became of a request's events. */
export interface Counts {
  accepted: number;
  rejected: number;
  /** Numbered events that are durable since an earlier request. */
  duplicates?: number;
}

export interface DoorRequest<T> {
  span: SpanSpec;
  /** Whether the door reads bodies of a media type; '' where the client says nothing. */
  accepts: (type: string) => boolean;
  /** A content encoding that the door unpacks itself. */
  packed?: string;
  work: (received: Received) => Promise<T>;
  counts: (answer: T) => Counts;
}

/**
 * Receives a request's body within the limits and has the door work on it, as one span. The bytes count as pending until the work is
 * done. Throws IngestError, also what `work` throws.
 */
export async function receive<T>(
  request: FastifyRequest,
  reply: FastifyReply,
  doors: Doors,
  door: DoorRequest<T>,
): Promise<T> {
  return doors.tracing.receive(door.span, headerOf(request, 'traceparent'), async (span) => {
    try {
      const answer = await work(request, doors, door);
      const { duplicates = 0 } = door.counts(answer);
      if (duplicates > 0) reply.header('logloom-duplicates', String(duplicates));
      tell(span, reply.statusCode, door.counts(answer));
      return answer;
    } catch (error) {
      tell(span, asIngestError(error as Error).status);
      throw error;
    }
  });
}

async function work<T>(request: FastifyRequest, doors: Doors, door: DoorRequest<T>): Promise<T> {
  const { settings, state, metrics } = doors;
  const key = request.ingestKey;
  if (state.phase !== 'ready') throw new IngestError(state.phase);
  const trouble = state.storage?.trouble;
  if (trouble !== undefined) {
    request.raw.resume();
    throw new IngestError(trouble.code, trouble.message);
  }
  const meter = meterOf(request, doors);
  admit(request, meter);
  if (!door.accepts(mediaType(request))) throw new IngestError('unsupported-type');
  const numbers = numbersOf(request);
  const stopTimer = metrics.requestSeconds.startTimer();
  using claim = new Claim(doors.pending);
  const maxBodyBytes = settings.INGEST_MAX_BODY_BYTES;
  const body = await readBody(request.raw, maxBodyBytes, claim, door.packed);
  metrics.bytes.inc(body.length);
  meter?.charge({ bytes: body.length });
  const received = {
    body,
    intake: state.intake!,
    producer: doors.ownProducer,
    key,
    sender: { key: key?.name, address: request.ip },
    receivedAt: Date.now(),
    maxEventBytes: settings.INGEST_MAX_EVENT_BYTES,
    claim: (bytes: number) => {
      if (bytes > maxBodyBytes) throw new IngestError('body-too-large');
      claim.take(bytes);
    },
    cost: new RequestCost(
      (bytes) => claim.takeParts(bytes),
      settings.INGEST_MAX_REQUEST_EVENTS,
      settings.INGEST_MAX_EVENT_BYTES,
    ),
    limits: {
      windowBytes: Math.max(leastWindow, claim.takeUpTo(Math.min(2 * body.length, mostWindow))),
      letterBytes: body.length + letterSlack,
      maxRejected,
      maxLetterBytes: Math.min(2 ** 20, settings.INGEST_MAX_EVENT_BYTES),
      hold: (bytes: number) => claim.takeParts(bytes),
    },
  };
  const answer = await (numbers === undefined
    ? door.work(received)
    : workNumbered(numbers, received, state.producers!, door));
  stopTimer();
  const { accepted, rejected, duplicates = 0 } = door.counts(answer);
  meter?.charge({ events: accepted + rejected + duplicates });
  return answer;
}

/** A producer's requests are worked one after another, so that what one of them has stored, the next one knows. */
async function workNumbered<T>(
  { id, epoch, first }: Numbers,
  received: Received,
  table: ProducerTable,
  door: DoorRequest<T>,
): Promise<T> {
  const scope = producerScope(received.key?.name ?? '', id);
  let sequence = first;
  const producer: Producer = {
    next: () => ({ kind: producerKind, topic: scope, partition: epoch, offset: sequence++, index: 0 }),
    isNumbered: true,
    isDurable: (source) => table.isDurable(source),
    stored: (source) => table.stored(source),
  };
  return table.inTurn(scope, epoch, first, () => door.work({ ...received, producer }));
}

/** A sender is known by its key or, where none is asked for, by its address. */
function meterOf(
  { ingestKey, ip }: FastifyRequest,
  { guard, addresses }: HttpDoorOptions,
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

/** The media type of the body, in lower case and without its parameters. */
export function mediaType(request: FastifyRequest): string {
  return (request.headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase();
}

function headerOf(request: FastifyRequest, name: string): string | undefined {
  const header = request.headers[name];
  return typeof header === 'string' ? header : undefined;
}

/** What a sender that numbers its events says of a request. */
interface Numbers {
  id: string;
  epoch: number;
  /** The first event's number. */
  first: number;
}

const maxEpoch = 2 ** 31 - 1;

/** A client that numbers its events itself can send them again without making copies. */
function numbersOf({ headers }: FastifyRequest): Numbers | undefined {
  const id = headers['logloom-producer'];
  const first = headers['logloom-sequence'];
  const epoch = headers['logloom-epoch'] ?? '0';
  if (id === undefined && first === undefined && headers['logloom-epoch'] === undefined) return undefined;
  if (typeof id !== 'string' || !/^[A-Za-z0-9_-]{1,64}$/.test(id))
    throw new IngestError('bad-producer', 'Logloom-Producer is 1 to 64 letters, digits, - and _');
  if (typeof first !== 'string' || !/^\d{1,15}$/.test(first))
    throw new IngestError(
      'bad-producer',
      'Logloom-Sequence is the number of the first event, up to 15 digits',
    );
  if (typeof epoch !== 'string' || !/^\d{1,10}$/.test(epoch) || Number(epoch) > maxEpoch)
    throw new IngestError('bad-producer', `Logloom-Epoch is a number up to ${maxEpoch}`);
  return { id, epoch: Number(epoch), first: Number(first) };
}
