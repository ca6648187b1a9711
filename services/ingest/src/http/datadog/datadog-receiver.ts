import type { FastifyReply, FastifyRequest } from 'fastify';
import { parseJsonBytes } from '../../event/parse-json.ts';
import { receiveSpan } from '../../telemetry.ts';
import { splitObjects } from '../concatenated-json.ts';
import type { HttpReceiver, HttpReceiverContext } from '../http-receiver.ts';
import { receive } from '../receive-request.ts';
import { acceptRecords, withAbsent, type RecordObject } from '../accept-records.ts';
import { refusalText } from '../accept-event-groups.ts';
import { addAttribute, noAttributes, type Attributes } from '../otlp/otlp-record.ts';

const paths = ['/api/v2/logs', '/v1/input'];
const span = receiveSpan(paths[0]!);
const emptyObjectBytes = 2;
const validatePath = '/api/v1/validate';

/** POST /api/v2/logs: Datadog's agent and libraries. */
export const datadogReceiver: HttpReceiver = {
  name: 'datadog',
  paths: { ...Object.fromEntries(paths.map((path) => [path, 'POST'])), [validatePath]: 'GET, HEAD' },
  register: (app, context) => {
    for (const path of paths) app.post(path, async (request, reply) => take(request, reply, context));
    // The agent asks before it sends; with INGEST_KEYS the key has been checked by now.
    app.get(validatePath, async () => ({ valid: true }));
  },
  sendError: ({ code, status, message }, reply) =>
    reply.send({ errors: [{ status: String(status), title: code, detail: message }] }),
};

async function take(
  request: FastifyRequest,
  reply: FastifyReply,
  context: HttpReceiverContext,
): Promise<FastifyReply> {
  const query = request.query as RecordObject;
  const receipt = await receive(request, reply, context, {
    span,
    accepts: () => true,
    work: async (received) => {
      // The agent sends an empty object to see whether it can send.
      const records = (await splitObjects(received.body, received.cost)).filter(
        (record) => record.length > emptyObjectBytes,
      );
      return acceptRecords('datadog', records, (record) => readDatadogLog(record, query), received);
    },
    counts: (receipt) => receipt,
  });
  if (receipt.rejected === 0) return reply.code(202).send({});
  const detail = refusalText(receipt, 'logs');
  return reply.code(400).send({ errors: [{ status: '400', title: 'Bad Request', detail }] });
}

/** Reads a log of Datadog's form. `defaults` are the parameters of the address. Throws RejectedError. */
function readDatadogLog(bytes: Buffer, { ddsource, ddtags, service, hostname }: RecordObject): RecordObject {
  const object = withAbsent(parseJsonBytes(bytes) as RecordObject, { ddsource, ddtags, service, hostname });
  if (object['level'] === undefined && typeof object['status'] === 'string') {
    object['level'] = object['status'];
    delete object['status'];
  }
  if (object['service'] === undefined && typeof object['ddsource'] === 'string')
    object['service'] = object['ddsource'];
  const tags = object['ddtags'];
  if (typeof tags === 'string' && tags !== '') object['ddtags'] = readTags(tags);
  return object;
}

/** Reads `env:prod,team:shop,canary`. A name that comes twice has a list. */
function readTags(text: string): Attributes {
  const tags = noAttributes();
  for (const tag of text.split(',')) {
    const colon = tag.indexOf(':');
    const name = (colon === -1 ? tag : tag.slice(0, colon)).trim();
    if (name !== '') addAttribute(tags, name, colon === -1 ? true : tag.slice(colon + 1));
  }
  return tags;
}
