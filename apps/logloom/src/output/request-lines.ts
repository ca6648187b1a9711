import { escapeControls } from '@logloom/telemetry/escape-controls';
import { colors as pc } from './colors.ts';
import { comparisonText, type ComparisonJson } from './comparison-text.ts';
import { correlationLine, eventLine, type EventJson } from './event-line.ts';
import { requestPathLines, type PathJson } from './request-path-lines.ts';

interface Line {
  service: string;
  message: string;
}

interface ErrorLine extends Line {
  cause?: string;
}

interface GapEnd {
  service: string;
  name: string;
}

type SlowStep = { ms: number; share: number } & (
  | { by: 'self'; service: string; name: string; count: number }
  | { by: 'gap'; after: GapEnd; before: GapEnd; acrossHosts: boolean }
);

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
  comparison?: ComparisonJson;
  summary: {
    events: number;
    firstError?: ErrorLine & { by: string; consequences: ErrorLine[] };
    slowest: SlowStep[];
    path: PathJson;
  };
  events: EventJson[];
}

const maxShown = 8;
const maxText = 160;
const maxGapText = 60;

/** A request for a terminal: its document, its findings, its events. */
export function requestLines(request: RequestJson): string[] {
  const { rules, severity, labels, parts, related, comparison, summary, events } = request;
  const { firstError, slowest, path } = summary;
  const facts: string[] = [];
  const fact = (name: string, ...lines: string[]): void =>
    lines.forEach((line, i) => facts.push(`  ${pc.dim((i === 0 ? name : '').padEnd(13))} ${line}`));
  if (parts !== undefined) {
    const each = parts.map(({ id, eventCount }) => `${id} (${eventCount})`);
    fact(
      'parts',
      `${parts.length}: ${each.slice(0, maxShown).join(', ')}${each.length > maxShown ? ', …' : ''}`,
    );
  }
  if (severity !== undefined) fact('severity', pc.red(severity));
  if (rules.length > 0) fact('rules', rules.join(', '));
  const labelTexts = Object.entries(labels).map(([name, value]) => `${name}=${escapeControls(value)}`);
  if (labelTexts.length > 0) fact('labels', labelTexts.join(' '));
  const compared = comparison && comparisonText(comparison);
  if (compared !== undefined) fact(comparison?.slow === true ? 'slow' : 'compared', compared);
  if (firstError !== undefined) {
    const followed = firstError.consequences.map((line) => `${pc.dim('then')} ${errorText(line)}`);
    fact('first error', errorText(firstError), ...followed);
  }
  fact('slowest', ...slowest.map(slowText));
  fact('path', ...requestPathLines(path));
  if (summary.events < request.eventCount)
    fact('', pc.dim(`of the first ${summary.events} of ${request.eventCount} events`));
  for (const { id, correlationId, shared } of related)
    fact(
      'related',
      `${pc.bold(id)} ${escapeControls(correlationId)} by ${shared.map(escapeControls).join(', ')}`,
    );
  return [correlationLine(request), ...facts, ...events.map((event) => eventLine(event))];
}

function lineText({ service, message }: Line, most = maxText): string {
  const [first = ''] = message.split('\n', 1);
  const short = first.length > most ? `${first.slice(0, most).toWellFormed()}…` : first;
  return `${pc.cyan(escapeControls(service))} ${escapeControls(short)}`;
}

function errorText({ service, message, cause }: ErrorLine): string {
  return lineText({ service, message: cause ?? message });
}

function gapText({ service, name }: GapEnd): string {
  return lineText({ service, message: name }, maxGapText);
}

function slowText(step: SlowStep): string {
  const size = `${step.ms} ms ${pc.dim(`${Math.round(100 * step.share)} %`)}`;
  if (step.by === 'self') {
    const times = step.count === 1 ? '' : `${step.count} × `;
    return `${size} ${times}${lineText({ service: step.service, message: step.name })}`;
  }
  const { after, before, acrossHosts } = step;
  const clocks = acrossHosts ? pc.dim(" (two hosts' clocks)") : '';
  return `${size} after ${gapText(after)} ${pc.dim('before')} ${gapText(before)}${clocks}`;
}
