import { QueueFullError, type FairQueue, type Turn } from '@logloom/runtime';
import { runCancellable, type Cancellation } from '@logloom/search-store';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { IncomingMessage } from 'node:http';
import { goneSignal, sendQueueFull, watchSending } from './api-queue.ts';

export interface ApiQueue {
  queue: FairQueue;
  /** Names who shares its turns. */
  holderName: (request: IncomingMessage) => Promise<string>;
}

/** Every request under `api` waits for its turn once its body is read, and ends with its client. */
export function registerTurns(api: FastifyInstance, { queue, holderName }: ApiQueue): void {
  const turns = new WeakMap<FastifyRequest, Turn>();
  api.addHook('preHandler', (request, reply, done) => {
    const gone = goneSignal(reply.raw);
    holderName(request.raw)
      .then((name) => queue.enter(name, gone))
      .then(
        (turn) => {
          turns.set(request, turn);
          reply.raw.once('close', () => turn.sent());
          runCancellable(asCancellation(gone), done);
        },
        (error: unknown) => {
          if (error instanceof QueueFullError) void sendQueueFull(reply, error);
          // Nobody is there to be answered.
          else if (gone.aborted) reply.hijack();
          else done(error as Error);
        },
      );
  });
  api.addHook('onSend', async (request, reply, payload) => {
    const turn = turns.get(request);
    if (turn !== undefined)
      watchSending(reply.raw, turn, typeof payload === 'string' ? Buffer.byteLength(payload) : 0);
  });
}

function asCancellation(signal: AbortSignal): Cancellation {
  return {
    get aborted() {
      return signal.aborted;
    },
    signal,
  };
}
