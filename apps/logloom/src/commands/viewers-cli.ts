import { escapeControls } from '@logloom/telemetry/escape-controls';
import type { Command } from 'commander';
import { colors as pc } from '../output/colors.ts';
import { deleteAt, getJson } from './endpoint.ts';
import type { CommandContext } from './command-context.ts';

interface ViewersFlags {
  url?: string;
  token?: string;
  json: boolean;
  end?: string;
}

/** The part of an entry of `GET /api/viewers` that the command shows. */
export interface ViewerEntry {
  id: string;
  transport: string;
  address: string | null;
  subject: string | null;
  since: string;
  subscriptions: {
    stream: string;
    filter: string;
    state: string;
    mode: string;
    behind: number | null;
  }[];
  queuedBytes: number;
  bytes: number;
  eventsPerSecond: number;
  missed: number;
  gaps: number;
  ageMs: { p50: number; p95: number; p99: number } | null;
}

interface ViewersPage {
  total: number;
  viewers: ViewerEntry[];
  next?: string;
}

const pageSize = '1000';

/** Adds `logloom viewers`. */
export function addViewersCommand(program: Command, context: CommandContext): void {
  const { endpoint, viewers, token, json, write } = context;
  program
    .command('viewers')
    .description('list the connected viewers of a node, with what each is sent; or end one')
    .option('--end <id>', 'disconnect this viewer; it is told so, and may come back after a minute')
    .addOption(viewers)
    .addOption(token)
    .addOption(json)
    .action(async (flags: ViewersFlags) => {
      const base = endpoint(flags);
      if (flags.end !== undefined) {
        await deleteAt(base, `/api/viewers/${encodeURIComponent(flags.end)}`);
        write(flags.json ? JSON.stringify({ ended: flags.end }) : `ended ${flags.end}`);
        return;
      }
      let cursor: string | undefined;
      let total = 0;
      do {
        const page = (await getJson(base, '/api/viewers', { limit: pageSize, cursor })) as ViewersPage;
        for (const viewer of page.viewers)
          if (flags.json) write(JSON.stringify(viewer));
          else viewerLines(viewer).forEach(write);
        cursor = page.next;
        total = page.total;
      } while (cursor !== undefined);
      if (!flags.json) write(total === 1 ? '1 viewer' : `${total} viewers`);
    });
}

/** A viewer as text: a line for its connection, and one for each subscription. */
export function viewerLines(viewer: ViewerEntry): string[] {
  const { id, transport, address, subject, since, eventsPerSecond, bytes, queuedBytes, ageMs, missed, gaps } =
    viewer;
  const who = escapeControls(subject ?? address ?? 'unknown');
  const age = ageMs === null ? 'no age yet' : `age ${ageMs.p50}/${ageMs.p95}/${ageMs.p99} ms`;
  const figures = [`${eventsPerSecond}/s`, age, `${bytes} bytes`, `${queuedBytes} queued`];
  if (gaps > 0) figures.push(pc.yellow(`${missed} missed in ${gaps} gaps`));
  return [
    `${pc.bold(id)} ${transport} ${who} since ${since}`,
    `  ${figures.join(', ')}`,
    ...viewer.subscriptions.map(({ stream, filter, state, mode, behind }) => {
      const shown = filter === '' ? '(all)' : escapeControls(filter);
      const notes = [state, ...(mode === 'full' ? [] : [mode]), ...(behind ? [`${behind} behind`] : [])];
      return `  ${stream} ${shown} ${pc.dim(notes.join(', '))}`;
    }),
  ];
}
