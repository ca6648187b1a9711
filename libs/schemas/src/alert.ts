import { alertFingerprint } from './alert-fingerprint.ts';
import { formatMicros } from './event.ts';
import type { Alert, Correlation } from './generated/types.ts';

/** The part of a rule that its alerts repeat. */
type AlertRule = Pick<Alert, 'message' | 'severity' | 'labels' | 'webhook'> &
  Partial<Pick<Alert, 'resolveAfterMs'>> & { name: string };

/** What a record of an earlier release has in the fields that it lacks. */
export const alertDefaults = {
  writer: 'correlator',
  fingerprint: '',
  state: 'firing',
  scope: 'request',
  startsAt: null,
  endsAt: null,
  key: {},
  value: null,
  condition: '',
  examples: [],
  resolveAfterMs: null,
  occurrences: null,
} satisfies Partial<Alert>;

/** An alert of a document: the `index`th of its revision. Follows from the document and the rule alone. */
export function alertOf(c: Correlation, index: number, rule: AlertRule): Alert {
  return {
    id: `${c.id}-r${c.revision}-${rule.name}`,
    rule: rule.name,
    rulesVersion: c.rulesVersion,
    message: rule.message,
    // The rule's own labels: the document's are those of all rules that matched.
    severity: rule.severity,
    labels: rule.labels,
    webhook: rule.webhook,
    at: c.closedAt,
    documentId: c.id,
    revision: c.revision,
    correlationId: c.correlationId,
    services: c.services,
    eventCount: c.memberDeltas.length,
    errorCount: (c.levels['error'] ?? 0) + (c.levels['fatal'] ?? 0),
    firstAt: c.firstAt,
    lastAt: c.lastAt,
    closeOffset: c.closeOffset,
    closeSequence: c.closeSequence,
    index,
    ...alertDefaults,
    fingerprint: alertFingerprint(rule.name),
    examples: [c.correlationId],
    resolveAfterMs: rule.resolveAfterMs ?? null,
  };
}

/** An alert in the form that webhooks and the API use. The webhook itself is left out: its URL may hold a secret. */
export interface AlertJson {
  id: string;
  rule: string;
  rulesVersion: string;
  message: string;
  severity?: string;
  labels: Record<string, string>;
  at: string;
  document: string;
  revision: number;
  correlationId: string;
  services: string[];
  eventCount: number;
  errorCount: number;
  firstAt: string;
  lastAt: string;
  /** Of a rule over a window: its state, and what identifies and explains it. */
  fingerprint?: string;
  state?: string;
  key?: Record<string, string>;
  condition?: string;
  value?: number;
  startsAt?: string;
  endsAt?: string;
  examples?: string[];
}

export function alertToJson(a: Alert): AlertJson {
  return {
    id: a.id,
    rule: a.rule,
    rulesVersion: a.rulesVersion,
    message: a.message,
    ...(a.severity === null ? {} : { severity: a.severity }),
    labels: a.labels,
    at: formatMicros(a.at * 1000),
    document: a.documentId,
    revision: a.revision,
    correlationId: a.correlationId,
    services: a.services,
    eventCount: a.eventCount,
    errorCount: a.errorCount,
    firstAt: formatMicros(a.firstAt),
    lastAt: formatMicros(a.lastAt),
    ...(a.scope === 'request' ? {} : windowFields(a)),
  };
}

function windowFields({ fingerprint, state, key, condition, value, startsAt, endsAt, examples }: Alert) {
  return {
    fingerprint,
    state,
    key,
    condition,
    ...(value === null ? {} : { value }),
    ...(startsAt === null ? {} : { startsAt: formatMicros(startsAt * 1000) }),
    ...(endsAt === null ? {} : { endsAt: formatMicros(endsAt * 1000) }),
    examples,
  };
}
