import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { eventually } from '@logloom/testing';

const root = join(import.meta.dirname, '../..');

/** Why a commit cannot be checked out; undefined where it can. */
export function whyMissing(commit: string): string | undefined {
  try {
    execFileSync('git', ['cat-file', '-e', `${commit}^{commit}`], { cwd: root, stdio: 'ignore' });
    return undefined;
  } catch {
    return `git does not have ${commit}: this is a shallow clone, or none`;
  }
}

/**
 * Puts the sources of an earlier commit into a new folder, with the dependencies that are installed for the present ones: only the packages
 * of the repository itself are the old ones.
 */
export function checkOut(commit: string, folder: string): void {
  mkdirSync(folder, { recursive: true });
  const archive = execFileSync(
    'git',
    ['archive', commit, 'apps', 'libs', 'services', 'clients', 'package.json'],
    {
      cwd: root,
      maxBuffer: 2 ** 30,
    },
  );
  execFileSync('tar', ['-x', '-C', folder], { input: archive });
  const modules = join(folder, 'node_modules');
  mkdirSync(join(modules, '@logloom'), { recursive: true });
  for (const name of readdirSync(join(root, 'node_modules')))
    if (name !== '@logloom') symlinkSync(join(root, 'node_modules', name), join(modules, name));
  for (const parent of ['apps', 'libs', 'services', 'clients'])
    for (const name of readdirSync(join(folder, parent))) {
      const manifest = join(folder, parent, name, 'package.json');
      if (!existsSync(manifest)) continue;
      const { name: packageName } = JSON.parse(readFileSync(manifest, 'utf8')) as { name: string };
      if (packageName.startsWith('@logloom/')) symlinkSync(dirname(manifest), join(modules, packageName));
    }
  execFileSync(process.execPath, ['libs/schemas/src/generate-types.ts'], { cwd: folder, stdio: 'ignore' });
}

/** The one-process mode of an earlier commit. */
export class OldRelease implements AsyncDisposable {
  readonly ingestUrl: string;
  readonly viewersUrl: string;
  readonly #child: ChildProcess;
  #errors = '';

  private constructor(folder: string, dataFolder: string, ports: { ingest: number; live: number }) {
    this.ingestUrl = `http://127.0.0.1:${ports.ingest}`;
    this.viewersUrl = `http://127.0.0.1:${ports.live}`;
    const { PATH = '' } = process.env;
    this.#child = spawn(process.execPath, ['apps/logloom/src/main.ts', 'up'], {
      cwd: folder,
      env: {
        PATH,
        LOGLOOM_DATA: dataFolder,
        INGEST_PORT: String(ports.ingest),
        LIVE_PORT: String(ports.live),
        SYSLOG_PORT: '0',
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child.stderr!.on('data', (data: Buffer) => (this.#errors += data.toString()));
  }

  static async start(
    folder: string,
    dataFolder: string,
    ports: { ingest: number; live: number },
  ): Promise<OldRelease> {
    const release = new OldRelease(folder, dataFolder, ports);
    await eventually('the old release is ready', async () => {
      if (release.#child.exitCode !== null) throw new Error(`it ended at the start:\n${release.#errors}`);
      return (await fetch(`${release.viewersUrl}/health/ready`)).ok;
    });
    return release;
  }

  async ingest(lines: readonly string[]): Promise<void> {
    const answer = await fetch(`${this.ingestUrl}/ingest`, {
      method: 'POST',
      body: lines.join('\n'),
      headers: { 'content-type': 'application/x-ndjson' },
    });
    const body = (await answer.json()) as { accepted: number };
    if (body.accepted !== lines.length) throw new Error(`the old release took ${JSON.stringify(body)}`);
  }

  /** Ends it with a signal; returns the exit code. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return this.#child.exitCode;
    const exited = once(this.#child, 'exit');
    this.#child.kill(signal);
    const [code] = (await exited) as [number | null];
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end('SIGKILL');
  }
}
