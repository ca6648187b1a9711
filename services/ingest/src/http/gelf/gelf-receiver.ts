import type { FastifyReply, FastifyRequest } from 'fastify';
import { parseJsonBytes } from '../../event/parse-json.ts';
import { receiveSpan } from '../../telemetry.ts';
import { splitObjects } from '../concatenated-json.ts';
import { sendJsonError, type HttpReceiver, type HttpReceiverContext } from '../http-receiver.ts';
import { receive } from '../receive-request.ts';
import { acceptRecords, type RecordObject } from '../accept-records.ts';
import { refusalText } from '../accept-event-groups.ts';

const path = '/gelf';
const span = receiveSpan(path);

/** POST /gelf: GELF over HTTP, one message or several. */
export const gelfHttpReceiver: HttpReceiver = {
  name: 'gelf',
  paths: { [path]: 'POST' },
  register: (app, context) => {
    app.post(path, async (request, reply) => take(request, reply, context));
  },
  sendError: sendJsonError,
};

async function take(
  request: FastifyRequest,
  reply: FastifyReply,
  context: HttpReceiverContext,
): Promise<FastifyReply> {
  const receipt = await receive(request, reply, context, {
    span,
    accepts: () => true,
    work: async (received) => {
      const messages = await splitObjects(received.body, received.cost);
      return acceptRecords('gelf', messages, readMessage, received);
    },
    counts: (receipt) => receipt,
  });
  if (receipt.rejected === 0) return reply.code(202).send();
  reply.type('text/plain');
  return reply.code(400).send(`${refusalText(receipt, 'messages')}\n`);
}

function readMessage(message: Buffer): RecordObject {
  return parseJsonBytes(message) as RecordObject;
}
