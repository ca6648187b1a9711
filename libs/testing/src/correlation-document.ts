import { correlationDefaults, type Correlation } from '@logloom/schemas';

/** The first revision of a request of one event, which begins at offset 1 of partition 0, with the given fields. */
export function correlationDocument(id: string, fields: Partial<Correlation> = {}): Correlation {
  return {
    id,
    correlationId: 'c',
    kind: 'traceId',
    revision: 1,
    closeReason: 'idle',
    firstAt: 1,
    lastAt: 2,
    services: ['shop'],
    levels: { info: 1 },
    rules: [],
    severity: null,
    partition: 0,
    firstOffset: 1,
    closeOffset: 2,
    closeSequence: 0,
    firstClosedAt: 3,
    memberDeltas: [0],
    ...correlationDefaults,
    ...fields,
  };
}
