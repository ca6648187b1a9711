import { escapeControls } from '@logloom/telemetry/escape-controls';
import { colors as pc } from './colors.ts';
import { correlationLine, eventLine, type EventJson } from './event-line.ts';

interface Line {
  timestamp: string;
  service: string;
  message: string;
}

/** The shown part of the response to `GET /api/correlations/{id}`. */
export interface RequestJson {
  id: string;
  correlationId: string;
  lastAt: string;
  durationMs: number;
  eventCount: number;
  errorCount: number;
  services: string[];
  rules: string[];
  severity?: string;
  labels: Record<string, string>;
  /** The documents in which it was written, if there are several. */
  parts?: { id: string; eventCount: number }[];
  related: { id: string; correlationId: string; shared: string[] }[];
  anomaly?: { rare: boolean; sameShape: number; requests: number };
  summary: {
    firstError?: Line;
    slowestGap?: { ms: number; after: Line; before: Line };
    criticalPath: { by: string; steps: { service: string; ms: number }[] };
  };
  events: EventJson[];
}

const maxSteps = 8;

/** A request for a terminal: its document, its findings, its events. */
export function requestLines(request: RequestJson): string[] {
  const { rules, severity, labels, parts, related, anomaly, summary, events } = request;
  const { firstError, slowestGap, criticalPath } = summary;
  const facts: string[] = [];
  const fact = (name: string, value: string): void =>
    void facts.push(`  ${pc.dim(name.padEnd(13))} ${value}`);
  if (parts !== undefined) {
    const each = parts.map(({ id, eventCount }) => `${id} (${eventCount})`);
    fact(
      'parts',
      `${parts.length}: ${each.slice(0, maxSteps).join(', ')}${each.length > maxSteps ? ', …' : ''}`,
    );
  }
  if (severity !== undefined) fact('severity', pc.red(severity));
  if (rules.length > 0) fact('rules', rules.join(', '));
  const labelTexts = Object.entries(labels).map(([name, value]) => `${name}=${escapeControls(value)}`);
  if (labelTexts.length > 0) fact('labels', labelTexts.join(' '));
  if (anomaly?.rare === true)
    fact(
      'rare',
      `${anomaly.sameShape} of ${anomaly.requests} requests of the previous day had the same shape`,
    );
  if (firstError !== undefined)
    fact(
      'first error',
      `${pc.cyan(escapeControls(firstError.service))} ${escapeControls(firstError.message)}`,
    );
  if (slowestGap !== undefined)
    fact(
      'longest gap',
      `${slowestGap.ms} ms from ${escapeControls(slowestGap.after.service)} to ${escapeControls(slowestGap.before.service)}`,
    );
  if (criticalPath.steps.length > 1) {
    const steps = criticalPath.steps.slice(0, maxSteps).map((s) => `${escapeControls(s.service)} ${s.ms} ms`);
    const more = criticalPath.steps.length > maxSteps ? ' → …' : '';
    fact(criticalPath.by === 'spans' ? 'critical path' : 'path', steps.join(' → ') + more);
  }
  for (const { id, correlationId, shared } of related)
    fact(
      'related',
      `${pc.bold(id)} ${escapeControls(correlationId)} by ${shared.map(escapeControls).join(', ')}`,
    );
  return [correlationLine(request), ...facts, ...events.map((event) => eventLine(event))];
}
