import type { FastifyReply, FastifyRequest } from 'fastify';
import { receiveSpan } from '../../telemetry.ts';
import { sendJsonError, type HttpReceiver, type HttpReceiverContext } from '../http-receiver.ts';
import { receive } from '../receive-request.ts';
import { acceptRecords } from '../accept-records.ts';
import { refusalText } from '../accept-event-groups.ts';
import { readEntry, splitEntries } from './export-format.ts';

const path = '/upload';
const span = receiveSpan(path);

/** POST /upload: systemd-journal-upload, in the journal's export format. */
export const journaldReceiver: HttpReceiver = {
  name: 'journald',
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
    accepts: (type) => type === 'application/vnd.fdo.journal' || type === 'text/plain' || type === '',
    work: async (received) => {
      const entries = await splitEntries(received.body, received.cost);
      return acceptRecords('journald', entries, readEntry, received);
    },
    counts: (receipt) => receipt,
  });
  reply.type('text/plain');
  if (receipt.rejected === 0) return reply.code(202).send('OK.\n');
  return reply.code(400).send(`${refusalText(receipt, 'entries')}\n`);
}
