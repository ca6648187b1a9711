/** A request that is sent on purpose, with what rules must say of it. */
export interface RuledRequest {
  id: string;
  /** What is sent first, and what comes when the group has closed. */
  lines: RuledLine[];
  late: RuledLine[];
  /** The rules that must match, sorted; `second` aside, which depends on when the request came. */
  rules: string[];
}

export interface RuledLine {
  timestamp: string;
  service: string;
  level: string;
  message: string;
  traceId: string;
}

/** Of every twelve requests: one in three never ends, and none to three services fail, late. */
export function ruledRequest(i: number): RuledRequest {
  const id = `request-${i}`;
  const line = (message: string, service: string, level = 'info'): RuledLine => ({
    // So that no two lines of the traffic are alike.
    message: `ruled ${message} of ${id}`,
    service,
    level,
    traceId: id,
    timestamp: new Date(1_760_000_000_000 + i * 1000).toISOString(),
  });
  const ends = i % 3 !== 0;
  const errors = i % 4;
  const lines = [line('begin', 'gateway'), ...(ends ? [line('end', 'gateway')] : [])];
  const late = Array.from({ length: errors }, (_, n) => line('failure', `service-${n}`, 'error'));
  const rules = [...(ends ? ['done'] : ['hung']), ...(errors >= 2 ? ['spread'] : [])];
  return { id, lines, late, rules };
}

/** A sequence, an absence and a count over distinct services; `second` is the rule that comes with a change of the file. */
export function rulesText(webhook: string, { withSecond = false } = {}): string {
  const second = withSecond ? `\n  - { name: second, when: 'message:"ruled begin"' }` : '';
  return `rules:
  - { name: done, when: 'message:"ruled begin"', then: 'message:"ruled end"', within: 5s, labels: { outcome: done } }
  - { name: hung, when: 'message:"ruled begin"', without: 'message:"ruled end"', within: 8s, severity: critical, alert: true }
  - { name: spread, when: 'level:error AND message:ruled', count: 2, distinct: { field: service, count: 2 }, severity: high, webhook: '${webhook}' }${second}
`;
}

/** What a document says that rules decide. */
export interface RuledDocument {
  id: string;
  correlationId: string;
  revision: number;
  rules: string[];
  severity?: string;
  labels: Record<string, string>;
  rulesVersion: string;
}

/** What rules must have made of a request. */
export function verdictOf({ rules }: Pick<RuledRequest, 'rules'>): object {
  const severity = rules.includes('hung') ? 'critical' : rules.includes('spread') ? 'high' : undefined;
  return { rules, severity, labels: rules.includes('done') ? { outcome: 'done' } : {} };
}

/** What they did make of it, to be compared with that. */
export function verdictIn({ rules, severity, labels }: RuledDocument): object {
  return { rules: rules.filter((rule) => rule !== 'second').sort(), severity, labels };
}
