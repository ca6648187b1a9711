import { escapeControls } from '@logloom/telemetry/escape-controls';
import { colors as pc } from './colors.ts';

interface Figures {
  requests: number;
  errors: number;
  rate: number;
  p50: number;
  p95: number;
  p99: number;
}

/** The response to `GET /api/requests/summary`. */
export interface RequestsSummaryJson {
  from: string;
  to: string;
  complete: boolean;
  all: Figures;
  groups: (Figures & {
    key: { shape?: string; service?: string };
    latest: { id: string; services: string[]; name?: string };
  })[];
  otherGroups: number;
  without: number;
}

const heads = ['requests', 'per s', 'errors', 'p50 ms', 'p95 ms', 'p99 ms'];
const maxWhat = 100;

/** Requests by shape or service as a table. */
export function requestsSummaryLines(summary: RequestsSummaryJson): string[] {
  const { from, to, complete, all, groups, otherGroups, without } = summary;
  const rows = [all, ...groups].map(cells);
  const widths = heads.map((head, i) =>
    rows.reduce((width, row) => Math.max(width, row[i]!.length), head.length),
  );
  const line = (row: readonly string[]): string => row.map((cell, i) => cell.padStart(widths[i]!)).join('  ');
  const notes = [
    ...(complete ? [] : ['only the latest requests are counted']),
    ...(otherGroups > 0 ? [`${otherGroups} more groups`] : []),
    ...(without > 0 ? [`${without} requests belong to none`] : []),
  ];
  return [
    pc.dim(`${from} to ${to}`),
    pc.dim(line(heads)),
    `${line(rows[0]!)}  ${pc.bold('all')}`,
    ...groups.map((group, i) => {
      const row = line(rows[i + 1]!);
      return `${group.errors > 0 ? pc.red(row) : row}  ${whatOf(group)}`;
    }),
    ...notes.map((note) => pc.dim(note)),
  ];
}

function cells({ requests, rate, errors, p50, p95, p99 }: Figures): string[] {
  return [String(requests), rounded(rate), String(errors), rounded(p50), rounded(p95), rounded(p99)];
}

/** Three digits that count, so that columns of small and large numbers can be compared. */
function rounded(value: number): string {
  if (value > 0 && value < 0.001) return '<0.001';
  return value >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}

function whatOf({ key, latest }: RequestsSummaryJson['groups'][number]): string {
  if (key.service !== undefined) return pc.cyan(escapeControls(key.service));
  const services = latest.services.join(' → ');
  const short = services.length > maxWhat ? `${services.slice(0, maxWhat).toWellFormed()}…` : services;
  const name = latest.name === undefined ? '' : `${escapeControls(latest.name)}  `;
  return `${pc.dim(escapeControls(key.shape ?? ''))} ${name}${pc.cyan(escapeControls(short))}`;
}
