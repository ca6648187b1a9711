import { spawn, type ChildProcess } from 'node:child_process';

const keptCharacters = 2_000;
const graceMs = 10_000;

/** A command of a shell, with all that it starts in one process group. */
export class ShellCommand {
  readonly #text: string;
  readonly #ended = Promise.withResolvers<string>();
  #child: ChildProcess | undefined;
  #output = '';

  constructor(text: string) {
    this.#text = text;
  }

  /** Settles with how it ended: `exit code 0`, or with the last line that it printed. */
  get ended(): Promise<string> {
    return this.#ended.promise;
  }

  start(): void {
    const child = spawn('sh', ['-c', this.#text], { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    const keep = (bytes: Buffer): void => {
      this.#output = (this.#output + bytes.toString()).slice(-keptCharacters);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.once('error', (error) => this.#ended.resolve(error.message));
    child.once('exit', (code, signal) => {
      const last = this.#output.trimEnd().split('\n').at(-1) ?? '';
      const how = signal === null ? `exit code ${code}` : `ended by ${signal}`;
      this.#ended.resolve(code === 0 ? how : [how, last].filter(Boolean).join(': '));
    });
  }

  /** Ends it if it runs; resolves with how it ended. */
  async stop(): Promise<string> {
    const child = this.#child;
    if (child?.pid === undefined) return 'not started';
    const signal = (name: NodeJS.Signals): void => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      process.kill(-child.pid!, name);
    };
    signal('SIGTERM');
    const forced = setTimeout(() => signal('SIGKILL'), graceMs);
    const how = await this.#ended.promise;
    clearTimeout(forced);
    return how;
  }
}
