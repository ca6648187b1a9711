import type { Settings } from '@logloom/settings';
import type { ActiveSpan, Telemetry } from '@logloom/telemetry';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { randomBytes } from 'node:crypto';
import { acceptBody, type Producer, type Receipt } from './accept-body.ts';
import { errors, IngestError, type ErrorCode } from './errors.ts';
import type { Intake } from './intake.ts';
import { Claim, readBody, type PendingBytes } from './read-body.ts';
import { spans, type IngestMetrics } from './telemetry.ts';

/** What the door does with requests: `intake` is there from 'ready' on. */
export interface DoorState {
  phase: 'starting' | 'ready' | 'draining';
  intake: Intake | undefined;
}

export interface HttpDoorOptions {
  settings: Pick<Settings, 'INGEST_MAX_BODY_BYTES' | 'INGEST_MAX_EVENT_BYTES'>;
  state: DoorState;
  pending: PendingBytes;
  metrics: IngestMetrics;
  logger: Telemetry['logger'];
  tracing: Telemetry['tracing'];
}

const retryAfterSeconds = '1';
const ndjsonTypes = new Set([
  ...['application/x-ndjson', 'application/ndjson', 'application/jsonl', 'application/x-jsonlines'],
]);
// The last is what `curl --data` says of any body; nobody means it.
const otherTypes = new Set(['', 'application/json', 'text/plain', 'application/x-www-form-urlencoded']);
/** What befalls a text before there is an event in it. */
const unreadable: ReadonlySet<ErrorCode> = new Set([
  ...(['bad-json', 'invalid-utf8', 'not-an-object', 'event-too-large', 'too-deep'] as const),
]);
const methodsByPath: Readonly<Record<string, string>> = {
  '/ingest': 'POST',
  '/health/live': 'GET, HEAD',
  '/health/ready': 'GET, HEAD',
};

/** The HTTP server for applications: POST /ingest and its health. Not yet listening. */
export function createHttpDoor(options: HttpDoorOptions): FastifyInstance {
  const { state } = options;
  const app = fastify({ logger: false, return503OnClosing: false });
  // Bodies are read by the handler: it counts, unpacks and limits them by rules of its own.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
  app.setErrorHandler((error, _request, reply) => sendError(error as Error, reply, options));
  app.setNotFoundHandler((request, reply) => {
    const allow = methodsByPath[request.url.split('?', 1)[0]!];
    if (allow === undefined) throw new IngestError('not-found');
    reply.header('allow', allow);
    throw new IngestError('method-not-allowed');
  });
  app.addHook('onSend', async (_request, reply) => {
    if (state.phase === 'draining') reply.header('connection', 'close');
  });
  const ownProducer = createOwnProducer();
  app.post('/ingest', (request, reply) =>
    options.tracing.receive(spans.receive, traceparentOf(request), (span) =>
      tell(span, reply, ingest(request, reply, ownProducer, options)),
    ),
  );
  app.get('/health/live', async () => ({ status: 'live' }));
  app.get('/health/ready', async (_request, reply) =>
    state.phase === 'ready' ? { status: 'ready' } : reply.code(503).send({ status: state.phase }),
  );
  return app;
}

async function ingest(
  request: FastifyRequest,
  reply: FastifyReply,
  ownProducer: Producer,
  options: HttpDoorOptions,
): Promise<Receipt> {
  const { settings, state, metrics } = options;
  if (state.phase !== 'ready') throw new IngestError(state.phase);
  const type = (request.headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase();
  if (!ndjsonTypes.has(type) && !otherTypes.has(type)) throw new IngestError('unsupported-type');
  const producer = producerOf(request) ?? ownProducer;
  const stopTimer = metrics.requestSeconds.startTimer();
  using claim = new Claim(options.pending);
  const body = await readBody(request.raw, settings.INGEST_MAX_BODY_BYTES, claim);
  metrics.bytes.inc(body.length);
  const receipt = await acceptBody(body, {
    intake: state.intake!,
    producer,
    receivedAt: Date.now(),
    maxEventBytes: settings.INGEST_MAX_EVENT_BYTES,
    isNdjson: ndjsonTypes.has(type),
  });
  stopTimer();
  if (receipt.accepted > 0 || receipt.rejected.length === 0) return receipt;
  if (receipt.rejected.some(({ code }) => !unreadable.has(code))) return receipt;
  const code = 'nothing-readable';
  metrics.failedRequests.inc({ code });
  reply.code(errors[code].status);
  return { ...receipt, error: { code, message: errors[code].message } };
}

/** The request as its span shows it. */
async function tell(span: ActiveSpan, reply: FastifyReply, receipt: Promise<Receipt>): Promise<Receipt> {
  try {
    const { accepted, rejected, rejectedCount } = await receipt;
    span.set({
      'http.response.status_code': reply.statusCode,
      'logloom.events.accepted': accepted,
      'logloom.events.rejected': rejectedCount ?? rejected.length,
    });
  } catch (error) {
    const { status } = error instanceof IngestError ? error : asIngestError(error as Error);
    span.set({ 'http.response.status_code': status });
  }
  return receipt;
}

function traceparentOf(request: FastifyRequest): string | undefined {
  const header = request.headers['traceparent'];
  return typeof header === 'string' ? header : undefined;
}

function createOwnProducer(): Producer {
  let sequence = 0;
  return { id: randomBytes(9).toString('base64url'), next: () => sequence++ };
}

/** A client that numbers its events itself can send them again without making copies. */
function producerOf(request: FastifyRequest): Producer | undefined {
  const id = request.headers['logloom-producer'];
  const first = request.headers['logloom-sequence'];
  if (id === undefined && first === undefined) return undefined;
  if (typeof id !== 'string' || !/^[A-Za-z0-9_-]{1,64}$/.test(id))
    throw new IngestError('bad-producer', 'Logloom-Producer is 1 to 64 letters, digits, - and _');
  if (typeof first !== 'string' || !/^\d{1,15}$/.test(first))
    throw new IngestError(
      'bad-producer',
      'Logloom-Sequence is the number of the first event, up to 15 digits',
    );
  let sequence = Number(first);
  return { id, next: () => sequence++ };
}

function sendError(error: Error, reply: FastifyReply, { metrics, logger }: HttpDoorOptions): FastifyReply {
  const known = error instanceof IngestError ? error : asIngestError(error);
  if (known.code === 'internal') logger.error({ err: error }, 'a request failed');
  metrics.failedRequests.inc({ code: known.code });
  if (known.retriable) reply.header('retry-after', retryAfterSeconds);
  return reply.code(known.status).send({ error: { code: known.code, message: known.message } });
}

/** fastify's own errors: a content type that cannot be parsed, a request that broke off. */
function asIngestError(error: Error & { statusCode?: number; code?: string }): IngestError {
  if (error.statusCode === 415) return new IngestError('unsupported-type');
  const isClients = (error.statusCode ?? 500) < 500 || error.code === 'ECONNRESET';
  return new IngestError(isClients ? 'bad-request' : 'internal', isClients ? error.message : undefined);
}
