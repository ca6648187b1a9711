import { QueueFullError, type AdmissionQueue, type AdmissionSlot } from '@logloom/runtime';
import { runCancellable, type Cancellation } from '@logloom/search-store';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { goneSignal, sendQueueFull, watchSending } from './api-queue.ts';

export interface ApiAdmission {
  queue: AdmissionQueue;
  /** Names the principal whose slots a request takes. */
  principalName: (request: IncomingMessage) => Promise<string>;
}

/** Every request under `api` waits for a slot once its body is read, and is cancelled when its client disconnects. */
export function registerAdmission(api: FastifyInstance, { queue, principalName }: ApiAdmission): void {
  const slots = new WeakMap<FastifyRequest, AdmissionSlot>();
  api.addHook('preHandler', (request, reply, done) => {
    const gone = goneSignal(reply.raw);
    principalName(request.raw)
      .then((name) => queue.enter(name, gone))
      .then(
        (slot) => {
          slots.set(request, slot);
          reply.raw.once('close', () => slot.sent());
          runCancellable(asCancellation(gone), done);
        },
        (error: unknown) => {
          if (error instanceof QueueFullError) void sendQueueFull(reply, error);
          // No client is left to respond to.
          else if (gone.aborted) reply.hijack();
          else done(error as Error);
        },
      );
  });
  api.addHook('onSend', async (request, reply, payload) => {
    const slot = slots.get(request);
    if (slot === undefined) return;
    const bytes = typeof payload === 'string' ? Buffer.byteLength(payload) : 0;
    watchSending(reply.raw, slot, bytes, { isStream: payload instanceof Readable });
  });
}

/**
 * Further work for a response that has begun, and whose slot is released, in its turn: it never holds up other requests, and waits where the
 * queue is full. Rejects once the client is gone. Without admission control it begins at once.
 */
export async function admitAgain<T>(
  admission: ApiAdmission | undefined,
  request: FastifyRequest,
  gone: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  if (admission === undefined) return work();
  const name = await admission.principalName(request.raw);
  const slot = await admission.queue.enterPatiently(name, gone);
  try {
    return await work();
  } finally {
    slot.sent();
  }
}

function asCancellation(signal: AbortSignal): Cancellation {
  return {
    get aborted() {
      return signal.aborted;
    },
    signal,
  };
}
