import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { temporaryFolder, type TemporaryFolder } from '@logloom/testing';

const run = promisify(execFile);

/** $1 is an empty folder, $2 becomes /mnt. All of it is in memory, in a mount namespace of its own, and ends with the shell. */
const mounts = `set -e
mount -t tmpfs logloom "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
for each in proc sys dev; do mount --rbind "/$each" "$1/root/$each"; done
for each in run tmp; do mount -t tmpfs logloom "$1/root/$each"; done
mount --bind "$2" "$1/root/mnt"
echo mounted
exec cat`;

/** Why there can be no alternative root; undefined where there can. */
export function whyNoRoot(): string | undefined {
  if (process.getuid?.() !== 0) return 'only root may mount an overlay of the root file system';
  using folder = temporaryFolder('overlay');
  try {
    execFileSync(
      'unshare',
      ['--mount', '--propagation', 'private', 'sh', '-c', mounts, 'sh', folder.path, '/mnt'],
      {
        stdio: ['ignore', 'ignore', 'ignore'],
      },
    );
    return undefined;
  } catch {
    return 'this machine mounts no overlay of the root file system';
  }
}

/**
 * This machine's file system, of which everything may be changed: changes are in memory, seen by nobody else, and gone with the object.
 * Processes and ports are the machine's.
 */
export class AlternativeRoot implements AsyncDisposable {
  readonly #shell: ChildProcess;
  readonly #folder: TemporaryFolder;

  private constructor(shell: ChildProcess, folder: TemporaryFolder) {
    this.#shell = shell;
    this.#folder = folder;
  }

  /** `shared` is seen as /mnt in it. */
  static async open(shared: string): Promise<AlternativeRoot> {
    const folder = temporaryFolder('root');
    const args = ['--mount', '--propagation', 'private', 'sh', '-c', mounts, 'sh', folder.path, shared];
    const shell = spawn('unshare', args, { stdio: ['pipe', 'pipe', 'inherit'] });
    await once(shell.stdout, 'data');
    return new AlternativeRoot(shell, folder);
  }

  /** Runs a shell's script in it and returns what it printed. Rejects with its output when it fails. */
  async run(script: string): Promise<string> {
    const args = [...this.#enter(), 'chroot', `${this.#folder.path}/root`, 'sh', '-ec', script];
    const { stdout } = await run('nsenter', args, {
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' },
      maxBuffer: 2 ** 26,
    });
    return stdout;
  }

  /**
   * Starts a program in a mount namespace of its own: `setUp` is a shell's script that gets the root as $root and ends before the program
   * starts. The process is the program itself, and so gets the signals.
   */
  start(setUp: string, program: readonly string[]): ChildProcess {
    const script = `set -e; root=$1; shift; ${setUp}\nexec chroot "$root" "$@"`;
    const own = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script, 'sh'];
    return spawn('nsenter', [...this.#enter(), ...own, `${this.#folder.path}/root`, ...program], {
      env: {},
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  }

  /** What is not as it is on the machine, directories apart: paths from /, sorted. What was deleted is among them. */
  async changes(): Promise<string[]> {
    const args = [
      ...this.#enter(),
      'find',
      `${this.#folder.path}/upper`,
      '!',
      '-type',
      'd',
      '-printf',
      '/%P\\n',
    ];
    const { stdout } = await run('nsenter', args, { maxBuffer: 2 ** 26 });
    return stdout.split('\n').filter(Boolean).sort();
  }

  #enter(): string[] {
    return ['--target', String(this.#shell.pid), '--mount', '--'];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#shell, 'exit');
    this.#shell.stdin!.end();
    await ended;
    this.#folder[Symbol.dispose]();
  }
}
