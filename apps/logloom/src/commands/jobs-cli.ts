import { Option, type Command } from 'commander';
import { escapeControls } from '@logloom/telemetry/escape-controls';
import { colors as pc } from '../output/colors.ts';
import { version } from '../version.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandError } from './command-errors.ts';
import type { CommandContext } from './command-context.ts';
import { fetchAt, getJson, refused, type ErrorResponse, type ViewersEndpoint } from './endpoint.ts';

interface ViewersFlags {
  url?: string;
  token?: string;
}

interface RedriveFlags extends ViewersFlags {
  code?: string;
  filter?: string;
  from?: string;
  to?: string;
  again: boolean;
  dryRun: boolean;
  notifications: boolean;
  json: boolean;
}

/** The result of `POST /api/jobs/redrive` and of a finished job. */
interface RedriveResult {
  redriven: number;
  codes: Record<string, number>;
  alreadyRedriven: number;
  tooLarge: number;
}

/** A finished verification's `result`. */
interface VerifyResult {
  complete: boolean;
  views: {
    view: string;
    kind: string;
    expected: number;
    missing: number;
    refilled: number;
    ranges: { partition: number; from: number; to: number; missing: number }[];
  }[];
  damaged: { topic: string; partition: number; from: number; to: number }[];
  /** The damaged files of a stopped deployment. */
  files?: { file: string; faults: string[] }[];
}

interface VerifyFlags extends ViewersFlags {
  refill: boolean;
  offline: boolean;
  view?: 'search' | 'archive';
  json: boolean;
}

interface JobState {
  id: string;
  state: 'waiting' | 'delayed' | 'active' | 'completed' | 'failed';
  progress: number;
  error?: string;
  result?: unknown;
}

const pollMs = 200;

/** Adds the commands that start jobs and wait for them. */
export function addJobCommands(program: Command, context: CommandContext): void {
  const { endpoint, viewers, token, json, write } = context;

  program
    .command('redrive')
    .description('ingest refused input (dead letters) again, each once')
    .option('--code <code>', 'only dead letters with this code, e.g. bad-json')
    .option('--filter <text>', 'only dead letters whose reason contains this text')
    .option('--from <time>', 'only dead letters since this time: RFC 3339, epoch ms, or now-15m')
    .option('--to <time>', 'only before this time, in the same forms')
    .option('--again', 'also what was redriven before; stores what was accepted then a second time', false)
    .option('--dry-run', 'only count', false)
    .option('--notifications', 'messages to receivers of alerts that failed for good, instead', false)
    .addOption(viewers)
    .addOption(token)
    .addOption(json)
    .action(async (flags: RedriveFlags) => {
      const { code, filter, from, to, again, dryRun } = flags;
      const base = endpoint(flags);
      if (flags.notifications) {
        await redriveNotifications(base, flags, context);
        return;
      }
      const answer = await postJson(base, '/api/jobs/redrive', { code, filter, from, to, again, dryRun });
      const result = (dryRun ? answer : await finished(base, answer as JobState, context)) as RedriveResult;
      if (flags.json) write(JSON.stringify(result));
      else redriveLines(result, dryRun).forEach(write);
      if (result.redriven === 0) throw new CommandError('nothing-found', '');
    });

  program
    .command('rebuild')
    .description('rebuild the search index from the log; the old one serves until the new one is complete')
    .addOption(viewers)
    .addOption(token)
    .addOption(json)
    .action(async (flags: ViewersFlags & { json: boolean }) => {
      const base = endpoint(flags);
      const answer = (await postJson(base, '/api/jobs/rebuild', {})) as JobState;
      const result = (await finished(base, answer, context)) as { events: number; correlations: number };
      if (flags.json) write(JSON.stringify(result));
      else write(`${result.events} events and ${result.correlations} correlations indexed`);
    });

  program
    .command('verify')
    .description('compare the search index and the archive with the log, and the log with its checksums')
    .option('--refill', 'refill what is missing', false)
    .addOption(new Option('--view <view>', 'only this one').choices(['search', 'archive']))
    .addOption(
      new Option('--offline', 'read LOGLOOM_DATA itself, while no Logloom runs on it; it may be a backup')
        .default(false)
        .conflicts('refill'),
    )
    .addOption(viewers)
    .addOption(token)
    .addOption(json)
    .addHelpText(
      'after',
      '\nExit codes: 0 the views hold what the log holds; 1 something is missing or damaged; 2 the command failed.',
    )
    .action(async (flags: VerifyFlags) => {
      const result = flags.offline
        ? await verifyOffline(flags, context)
        : await verifyRunning(flags, context);
      if (flags.json) write(JSON.stringify(result));
      else verifyLines(result).forEach(write);
      if (!result.complete) throw new CommandError('problems-found', '');
    });
}

/** The names of the jobs that tell somebody: receivers, and the webhooks of rules. */
const tellingJobs = ['notification', 'alert'];

/** Puts messages that failed for good back into the queue; with `dryRun` lists them. */
async function redriveNotifications(
  base: ViewersEndpoint,
  { dryRun, json }: Pick<RedriveFlags, 'dryRun' | 'json'>,
  { write }: CommandContext,
): Promise<void> {
  let found = 0;
  const failed: JobState[] = [];
  for (const name of tellingJobs) {
    if (dryRun) {
      const answer = (await getJson(base, `/api/jobs?name=${name}&limit=1000`)) as {
        counts: Record<string, { failed: number }>;
        failed: JobState[];
      };
      found += answer.counts[name]?.failed ?? 0;
      failed.push(...answer.failed);
    } else found += ((await postJson(base, '/api/jobs/retry', { name })) as { retried: number }).retried;
  }
  if (json) write(JSON.stringify({ redriven: found, ...(dryRun && { dryRun, failed }) }));
  else {
    write(`${found} ${dryRun ? 'messages would be sent again' : 'messages are sent again'}`);
    for (const { id, error } of failed) write(pc.dim(`  ${id} ${escapeControls(error ?? '')}`));
  }
  if (found === 0) throw new CommandError('nothing-found', '');
}

async function verifyRunning(flags: VerifyFlags, context: CommandContext): Promise<VerifyResult> {
  const base = context.endpoint(flags);
  const { refill, view } = flags;
  const answer = (await postJson(base, '/api/jobs/verify', { refill, view })) as JobState;
  return (await finished(base, answer, context)) as VerifyResult;
}

async function verifyOffline(
  { view }: VerifyFlags,
  { settings, signal }: CommandContext,
): Promise<VerifyResult> {
  const given = settings();
  try {
    // A backup is verified where it is, and says itself what its files held.
    const { checkBackup } = await import('../backup/check-backup.ts');
    const files = await checkBackup(given.LOGLOOM_DATA, version, signal);
    if (files.length > 0) return { complete: false, views: [], damaged: [], files };
    const { verifyStopped } = await import('@logloom/indexer');
    return await verifyStopped(given, view, signal);
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    throw new CommandError(
      'command-failed',
      code === undefined ? message : `${escapeControls(message)} (${code})`,
    );
  }
}

function redriveLines(
  { redriven, codes, alreadyRedriven, tooLarge }: RedriveResult,
  dryRun: boolean,
): string[] {
  return [
    `${redriven} ${dryRun ? 'would be redriven' : 'redriven'}`,
    ...Object.entries(codes).map(([code, count]) => `  ${code.padEnd(24)} ${count}`),
    ...(alreadyRedriven > 0
      ? [pc.dim(`${alreadyRedriven} were redriven before (--again takes them too)`)]
      : []),
    ...(tooLarge > 0 ? [pc.yellow(`${tooLarge} are larger than the log accepts`)] : []),
  ];
}

function verifyLines({ complete, views, damaged, files = [] }: VerifyResult): string[] {
  return [
    ...views.map(({ view, kind, expected, missing, refilled }) => {
      const lacks = refilled < missing ? pc.red(`${missing - refilled} missing`) : 'nothing missing';
      const given = refilled > 0 ? `, ${refilled} filled in again` : '';
      return `${view.padEnd(8)} ${kind.padEnd(13)} ${String(expected).padStart(10)} expected, ${lacks}${given}`;
    }),
    ...views.flatMap(({ view, kind, ranges }) =>
      ranges.map((r) =>
        pc.dim(`  ${view} ${kind}: ${r.missing} of [${r.from}, ${r.to}) in partition ${r.partition}`),
      ),
    ),
    ...damaged.map((gap) =>
      pc.red(`damaged: ${gap.topic}, partition ${gap.partition}, offsets [${gap.from}, ${gap.to})`),
    ),
    ...files.map(({ file, faults }) => pc.red(`damaged: ${file}: ${escapeControls(faults.join('; '))}`)),
    ...(files.length > 0 ? [pc.yellow('the views were not compared')] : []),
    ...(complete || files.length > 0
      ? []
      : [pc.yellow('logloom verify --refill fills in what the log still holds')]),
  ];
}

/** Waits for a job; returns its result. Throws CommandError if the job failed or the wait was interrupted; the job itself continues. */
async function finished(
  base: ViewersEndpoint,
  { id }: Pick<JobState, 'id'>,
  context: CommandContext,
): Promise<unknown> {
  const { signal, note } = context;
  for (;;) {
    const job = (await getJson(base, `/api/jobs/${encodeURIComponent(id)}`)) as JobState;
    if (job.state === 'completed') return job.result;
    if (job.state === 'failed')
      throw new CommandError(
        'command-failed',
        `the job ${id} failed: ${escapeControls(job.error ?? 'no reason given')}`,
      );
    if (job.error !== undefined) note(pc.yellow(`the job ${id} is retried: ${escapeControls(job.error)}`));
    await sleep(pollMs, undefined, { signal }).catch(() => {});
    if (signal.aborted)
      throw new CommandError(
        'interrupted',
        `the job ${id} continues; GET /api/jobs/${id} shows its progress`,
      );
  }
}

/** POST as JSON. Throws CommandError with the server's message. */
async function postJson(base: ViewersEndpoint, path: string, body: object): Promise<unknown> {
  const response = await fetchAt(base, 'POST', new URL(path, base.url), { body });
  const answer = (await response.json()) as ErrorResponse;
  if (!response.ok) throw refused(answer.error ?? { message: response.statusText });
  return answer;
}
