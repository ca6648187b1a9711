import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import type { SqlFailure, SqlHead, SqlJob } from './sql-job.ts';

export interface SqlLimits {
  /** How long the statement may work, in ms; the time in which nobody reads its rows does not count. */
  limitMs: number;
  /** How much memory its process may take, in bytes: DuckDB counts not all of what it takes. */
  processBytes: number;
}

export interface SqlRun {
  head: SqlHead;
  /** Lines of JSON: the rows, and an error where they are not all. */
  rows: AsyncGenerator<Buffer>;
}

const program = new URL('sql.child.ts', import.meta.url).pathname;
const watchMs = 50;
const pageBytes = 4096;
const newline = 10;

/**
 * Runs one statement in a process of its own: whatever it does, it ends at its limits and when `gone` aborts, and this process keeps its
 * memory. The rows are made as they are read; return() ends the process.
 */
export async function runSql(job: SqlJob, limits: SqlLimits, gone: AbortSignal): Promise<SqlRun> {
  // Without this process's variables, which hold credentials.
  const child = spawn(process.execPath, ['--no-warnings', program], {
    env: {},
    cwd: job.temporaryFolder,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const watch = new ProcessWatch(child, limits, gone);
  child.stdin.on('error', () => {});
  child.stdin.end(JSON.stringify(job));
  const lines = linesOf(child.stdout, watch);
  const first = await lines.next();
  if (first.done === true) {
    watch.end();
    return { head: { error: watch.failure }, rows: lines };
  }
  return { head: JSON.parse(first.value.toString()) as SqlHead, rows: lines };
}

/** The head alone, then pieces of whole lines. */
async function* linesOf(output: Readable, watch: ProcessWatch): AsyncGenerator<Buffer> {
  let isHead = true;
  let rest: Buffer = Buffer.alloc(0);
  const chunks = output[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  try {
    for (;;) {
      watch.work();
      const chunk = await chunks.next();
      watch.pause();
      if (chunk.done === true) break;
      rest = rest.length === 0 ? chunk.value : Buffer.concat([rest, chunk.value]);
      if (isHead) {
        const end = rest.indexOf(newline) + 1;
        if (end === 0) continue;
        isHead = false;
        yield rest.subarray(0, end);
        rest = rest.subarray(end);
      }
      const end = rest.lastIndexOf(newline) + 1;
      if (end === 0) continue;
      yield rest.subarray(0, end);
      rest = rest.subarray(end);
    }
    if (!isHead && watch.wasEnded) yield Buffer.from(`${JSON.stringify({ error: watch.failure })}\n`);
  } finally {
    watch.end();
  }
}

/** Ends the process at its limits. */
class ProcessWatch {
  readonly #child: ChildProcess;
  readonly #limits: SqlLimits;
  readonly #timer: NodeJS.Timeout;
  readonly #gone: AbortSignal;
  readonly #stop = (): void => this.end();
  #workedMs = 0;
  #since: number | undefined;
  #failure: SqlFailure | undefined;

  constructor(child: ChildProcess, limits: SqlLimits, gone: AbortSignal) {
    this.#child = child;
    this.#limits = limits;
    this.#gone = gone;
    this.#timer = setInterval(() => this.#look(), watchMs);
    gone.addEventListener('abort', this.#stop, { once: true });
    child.once('exit', () => clearInterval(this.#timer));
    if (gone.aborted) this.end();
  }

  work(): void {
    this.#since ??= performance.now();
  }

  pause(): void {
    this.#workedMs += performance.now() - (this.#since ?? performance.now());
    this.#since = undefined;
  }

  end(): void {
    clearInterval(this.#timer);
    this.#gone.removeEventListener('abort', this.#stop);
    this.#child.kill('SIGKILL');
  }

  /** Whether it did not end by itself. */
  get wasEnded(): boolean {
    return this.#failure !== undefined || this.#child.signalCode !== null;
  }

  get failure(): SqlFailure {
    return (
      this.#failure ?? {
        code: 'store-unavailable',
        message: 'the process of the statement ended unexpectedly',
      }
    );
  }

  #look(): void {
    const worked = this.#workedMs + (this.#since === undefined ? 0 : performance.now() - this.#since);
    const { limitMs, processBytes } = this.#limits;
    if (worked > limitMs)
      this.#failure = { code: 'sql-limit', message: `the statement ran longer than ${limitMs} ms` };
    else if (residentBytes(this.#child.pid) > processBytes)
      this.#failure = {
        code: 'sql-limit',
        message: `the process of the statement needs more memory than ${processBytes} bytes`,
      };
    if (this.#failure !== undefined) this.end();
  }
}

/** 0 where the system does not say. */
function residentBytes(pid: number | undefined): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * pageBytes;
  } catch {
    return 0;
  }
}
