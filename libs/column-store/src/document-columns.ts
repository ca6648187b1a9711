import { correlationDefaults, levels, type Correlation } from '@logloom/schemas';
import type { Column } from './engine.ts';
import type { requestColumns } from './schema.ts';

/** The documents as columns, in the order of `requestColumns`. */
export function columnsOfDocuments(
  documents: readonly Correlation[],
): Record<keyof typeof requestColumns, { values: Column; isNumber: boolean }> {
  const whole = documents.map((document) => ({ ...correlationDefaults, ...document }));
  type Whole = (typeof whole)[number];
  const text = (of: (c: Whole) => string | null) => ({ values: whole.map(of), isNumber: false });
  const number = (of: (c: Whole) => number) => ({ values: whole.map(of), isNumber: true });
  return {
    id: text((c) => c.id),
    revision: number((c) => c.revision),
    correlation_id: text((c) => c.correlationId),
    kind: text((c) => c.kind),
    close_reason: text((c) => c.closeReason),
    first_at: number((c) => c.firstAt),
    last_at: number((c) => c.lastAt),
    duration_ms: number((c) => (c.lastAt - c.firstAt) / 1000),
    event_count: number((c) => c.memberDeltas.length),
    error_count: number((c) => (c.levels['error'] ?? 0) + (c.levels['fatal'] ?? 0)),
    level_mask: number((c) =>
      levels.reduce((mask, level, rank) => ((c.levels[level] ?? 0) > 0 ? mask | (1 << rank) : mask), 0),
    ),
    severity: text((c) => c.severity),
    partition: number((c) => c.partition),
    first_offset: number((c) => c.firstOffset),
    services: text((c) => JSON.stringify(c.services)),
    rules: text((c) => JSON.stringify(c.rules)),
    ids: text((c) => JSON.stringify([c.correlationId, ...c.ids])),
    labels: text((c) => JSON.stringify(c.labels)),
    shape: text((c) => (c.shape === '' ? null : c.shape)),
    close_offset: number((c) => c.closeOffset),
    document: { values: documents.map((document) => JSON.stringify(document)), isNumber: false },
  };
}
