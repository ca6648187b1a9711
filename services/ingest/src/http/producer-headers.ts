import type { FastifyRequest } from 'fastify';
import { IngestError } from '../errors.ts';

/** The headers of a request whose sender numbers its events. */
export interface ProducerHeaders {
  id: string;
  epoch: number;
  /** The number of the first event. */
  first: number;
}

const maxEpoch = 2 ** 31 - 1;

/**
 * Reads `Logloom-Producer`, `Logloom-Sequence` and `Logloom-Epoch`: with them a client can send its events again without duplicates.
 * Returns undefined where there are none. Throws IngestError `bad-producer`.
 */
export function readProducerHeaders({ headers }: FastifyRequest): ProducerHeaders | undefined {
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
