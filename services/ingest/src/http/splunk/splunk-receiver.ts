import type { FastifyReply, FastifyRequest } from 'fastify';
import { buffer } from 'node:stream/consumers';
import { IngestError } from '../../errors.ts';
import { receiveSpan } from '../../telemetry.ts';
import { refusalText, type EventGroupsReceipt } from '../accept-event-groups.ts';
import { splitObjects } from '../concatenated-json.ts';
import type { HttpReceiver, HttpReceiverContext } from '../http-receiver.ts';
import { receive, type Received } from '../receive-request.ts';
import { acceptRecords } from '../accept-records.ts';
import { sliceEvents } from '../../pipeline/in-slices.ts';
import { Turns } from '../../pipeline/turns.ts';
import { lines } from '../split-body.ts';
import { AckChannels } from './ack-channels.ts';
import { nameService, readSplunkEvent, readSplunkLine, type SplunkMeta } from './splunk-event.ts';

const root = '/services/collector';
const span = receiveSpan(root);
const eventPaths = [root, `${root}/event`, `${root}/event/1.0`];
const rawPaths = [`${root}/raw`, `${root}/raw/1.0`];
const healthPaths = [`${root}/health`, `${root}/health/1.0`];
const ackPath = `${root}/ack`;
const maxAckBytes = 2 ** 20;

/** The numbers that Splunk has for each answer. */
const codes: Readonly<Partial<Record<string, number>>> = {
  unauthorized: 4,
  'empty-body': 5,
  'bad-json': 6,
  'internal-error': 8,
  'bad-request': 6,
};
const invalidToken = 4;
const invalidData = 6;
const busy = 9;
const healthy = 17;

/** Splunk's HTTP event collector: events, raw lines, acknowledgements, health. */
export const splunkReceiver: HttpReceiver = {
  name: 'splunk',
  paths: {
    ...Object.fromEntries([...eventPaths, ...rawPaths, ackPath].map((path) => [path, 'POST'])),
    ...Object.fromEntries(healthPaths.map((path) => [path, 'GET, HEAD'])),
  },
  openPaths: healthPaths,
  register: (app, context) => {
    const channels = new AckChannels();
    for (const path of eventPaths)
      app.post(path, async (request, reply) => take(request, reply, context, channels, acceptEvents));
    for (const path of rawPaths)
      app.post(path, async (request, reply) => take(request, reply, context, channels, acceptLines));
    app.post(ackPath, async (request) => {
      if (Number(request.headers['content-length'] ?? Infinity) > maxAckBytes) {
        request.raw.resume();
        throw new IngestError('body-too-large');
      }
      return { acks: channels.known(channelOf(request), idsOf(await buffer(request.raw))) };
    });
    for (const path of healthPaths)
      app.get(path, async (_request, reply) => {
        if (context.state.phase === 'ready') return { text: 'HEC is healthy', code: healthy };
        return reply.code(503).send({ text: 'HEC is not ready', code: busy });
      });
  },
  sendError: ({ code, status, message }, reply) =>
    reply.send({
      text: `${code}: ${message}`,
      code:
        codes[code] ?? (status === 503 || status === 429 ? busy : status < 500 ? invalidData : invalidToken),
    }),
};

type Query = SplunkMeta & { channel?: string };
type Accept = (received: Received, meta: SplunkMeta) => Promise<EventGroupsReceipt>;

async function take(
  request: FastifyRequest,
  reply: FastifyReply,
  context: HttpReceiverContext,
  channels: AckChannels,
  accept: Accept,
): Promise<object> {
  const channel = channelOf(request);
  const receipt = await receive(request, reply, context, {
    span,
    // The originals ignore it.
    accepts: () => true,
    work: (received) => accept(received, request.query as Query),
    counts: (receipt) => receipt,
  });
  if (receipt.rejected > 0)
    return reply.code(400).send({ text: refusalText(receipt, 'events'), code: invalidData });
  return { text: 'Success', code: 0, ...(channel !== undefined && { ackId: channels.next(channel) }) };
}

const acceptEvents: Accept = async (received, meta) => {
  const records = await splitObjects(received.body, received.cost);
  return acceptRecords('splunk', records, (record) => readSplunkEvent(record, meta), received, nameService);
};

const acceptLines: Accept = async (received, meta) => {
  const { body, cost, pipeline, receivedAtMs } = received;
  const records: Buffer[] = [];
  const turns = new Turns();
  for (const { start, end } of lines(body)) {
    cost.events(1);
    if (records.length % sliceEvents === 0 && turns.isOver) await turns.next();
    records.push(body.subarray(start, end));
  }
  if (records.length === 0) throw new IngestError('empty-body');
  const read = (record: Buffer) => readSplunkLine(record, meta, receivedAtMs, pipeline.normalizer);
  return acceptRecords('splunk', records, read, received, nameService);
};

function channelOf({ headers, query }: FastifyRequest): string | undefined {
  const given = headers['x-splunk-request-channel'] ?? (query as Query).channel;
  return typeof given === 'string' && given !== '' ? given.slice(0, 256) : undefined;
}

function idsOf(body: Buffer): number[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body.toString());
  } catch {
    throw new IngestError('bad-json');
  }
  const { acks } = (parsed ?? {}) as { acks?: unknown };
  if (!Array.isArray(acks)) throw new IngestError('bad-request', 'acks is not a list of numbers');
  return acks.filter((id): id is number => typeof id === 'number');
}
