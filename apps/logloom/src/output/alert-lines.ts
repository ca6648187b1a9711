import { escapeControls } from '@logloom/telemetry/escape-controls';
import { colors as pc } from './colors.ts';

/** The shown part of an alert in the response to `GET /api/alerts?state=`. */
export interface AlertJson {
  fingerprint: string;
  rule: string;
  state: 'pending' | 'firing' | 'resolved';
  severity?: string;
  labels: Record<string, string>;
  message: string;
  condition?: string;
  measured?: string;
  startsAt: string;
  endsAt?: string;
  occurrences: number;
  examples: string[];
  silencedBy: string[];
  acknowledged?: { author: string; note: string };
}

/** The shown part of an entry of `GET /api/alerts/history`. */
export interface HistoryJson extends Partial<AlertJson> {
  type: 'alert' | 'silence' | 'acknowledgement';
  appendedAt: string;
  /** Of an alert about one request. */
  correlationId?: string;
  author?: string;
  note?: string;
  id?: string;
  reason?: string;
  matchers?: string[];
}

/** The shown part of a silence. */
export interface SilenceJson {
  id: string;
  state: 'active' | 'pending' | 'expired';
  matchers: string[];
  startsAt: string;
  endsAt?: string;
  windows?: { days: string[]; from: string; to: string }[];
  timeZone?: string;
  reason: string;
  author: string;
  endedBy?: string;
}

const stateColors = { firing: pc.red, pending: pc.yellow, resolved: pc.green };

/** An alert for a terminal: what and since when, why, who takes care of it. */
export function alertLines(alert: AlertJson): string[] {
  const { fingerprint, state, severity, message, condition, occurrences, examples } = alert;
  const { silencedBy, acknowledged } = alert;
  const since =
    alert.endsAt === undefined ? `since ${alert.startsAt}` : `from ${alert.startsAt} to ${alert.endsAt}`;
  const head = [
    stateColors[state](state.padEnd(8)),
    ...(severity === undefined ? [] : [pc.bold(severity)]),
    escapeControls(message),
    pc.dim(`${since}, ${occurrences === 1 ? 'once' : `${occurrences} times`}`),
  ];
  const why = [
    ...(condition === undefined ? [] : [`${condition}${measuredNote(alert)}`]),
    ...(examples.length === 0 ? [] : [`see ${examples.join(' ')}`]),
  ];
  return [
    head.join('  '),
    `  ${fingerprint}  ${labelsText(alert.labels)}`,
    ...(why.length === 0 ? [] : [`  ${escapeControls(why.join('; '))}`]),
    ...(silencedBy.length === 0 ? [] : [pc.yellow(`  silenced by ${silencedBy.join(' ')}`)]),
    ...(acknowledged === undefined
      ? []
      : [pc.cyan(`  acknowledged by ${escapeControls(`${acknowledged.author}: ${acknowledged.note}`)}`)]),
  ];
}

/** Such as `2 alerts`, or `1000 of 2357 alerts` where there are more than are shown. */
export function alertCount(shown: number, total: number): string {
  const count = total > shown ? `${shown} of ${total}` : String(shown);
  return `${count} ${count === '1' ? 'alert' : 'alerts'}`;
}

/** A line for what happened. */
export function historyLine(entry: HistoryJson): string {
  const { type, appendedAt, state, rule, labels, message, author, note, id, reason, matchers } = entry;
  const request = entry.correlationId === undefined ? '' : `; see ${entry.correlationId}`;
  const what = {
    alert: () => `${rule} ${state}: ${message}  ${labelsText(labels ?? {})}${request}`,
    silence: () => `silence ${id} of ${matchers?.join(' ')} by ${author}: ${reason}`,
    acknowledgement: () => `${rule} acknowledged by ${author}${note === '' ? '' : `: ${note}`}`,
  }[type]();
  return `${pc.dim(appendedAt)}  ${escapeControls(what)}`;
}

/** A silence for a terminal. */
export function silenceLines(silence: SilenceJson): string[] {
  const { id, state, matchers, startsAt, endsAt, windows, timeZone, reason, author, endedBy } = silence;
  const time = [
    `from ${startsAt}`,
    ...(endsAt === undefined ? [] : [`to ${endsAt}`]),
    ...(windows ?? []).map(({ days, from, to }) => `${days.join(',')} ${from}-${to} ${timeZone}`),
  ];
  const ended = endedBy === undefined ? '' : `, ended by ${endedBy}`;
  return [
    `${state === 'active' ? pc.yellow(state) : state}  ${pc.bold(escapeControls(matchers.join(' ')))}`,
    `  ${id}  ${time.join(' ')}`,
    `  ${escapeControls(`${reason} (${author}${ended})`)}`,
  ];
}

function labelsText(labels: Readonly<Record<string, string>>): string {
  return escapeControls(
    Object.entries(labels)
      .map(([name, value]) => `${name}=${value}`)
      .join(' '),
  );
}

function measuredNote({ measured, endsAt }: AlertJson): string {
  if (measured === undefined) return '';
  return endsAt === undefined ? ` (it was ${measured})` : ` (${measured} at the end)`;
}
