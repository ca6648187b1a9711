import { SettingsError } from '@logloom/settings';
import { readFileSync, statSync } from 'node:fs';
import { loadReceivers } from './load-receivers.ts';
import type { Receivers } from './parse-receivers.ts';
import { formatReceiversProblem } from './receivers-problem.ts';

export interface ReceiversSourceOptions {
  path: string;
  /** Has the variables that the file names. */
  env: Readonly<Record<string, string | undefined>>;
  /** Gets what is wrong with a changed file, once for each change; what was there before stays in force. */
  onProblems: (problems: readonly string[]) => void;
  /** Called with what is in force, at the start and after each change. */
  onChange: (receivers: Receivers) => void;
  lookEveryMs?: number;
}

/**
 * The receivers of a file, read again within a second of a change. Files that hold secrets count too: the link that Kubernetes moves for a
 * folder of secrets is a change of them.
 */
export class ReceiversSource implements Disposable {
  readonly #options: ReceiversSourceOptions;
  readonly #timer: NodeJS.Timeout;
  #current: Receivers;
  #seen: string;

  /** Throws SettingsError with every problem of the file. */
  constructor(options: ReceiversSourceOptions) {
    const { path, env, onChange, lookEveryMs = 1_000 } = options;
    this.#options = options;
    this.#seen = this.#look();
    const loaded = loadReceivers(path, env);
    if (!loaded.ok)
      throw new SettingsError(loaded.problems.map((problem) => formatReceiversProblem(path, problem)));
    this.#current = loaded.receivers;
    onChange(this.#current);
    this.#timer = setInterval(() => this.#turn(), lookEveryMs).unref();
  }

  get current(): Receivers {
    return this.#current;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #turn(): void {
    const { path, env, onProblems, onChange } = this.#options;
    const now = this.#look();
    if (now === this.#seen) return;
    this.#seen = now;
    const loaded = loadReceivers(path, env);
    if (!loaded.ok) {
      onProblems(loaded.problems.map((problem) => formatReceiversProblem(path, problem)));
      return;
    }
    this.#current = loaded.receivers;
    onChange(this.#current);
  }

  /** The text, and what tells whether the files of its secrets are others than before. */
  #look(): string {
    const { path, env } = this.#options;
    let text: string;
    try {
      text = readFileSync(path, 'utf8');
    } catch {
      return '';
    }
    const files = [...text.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => env[`${name}_FILE`]);
    const states = files.map((file) => {
      const stats = file === undefined ? undefined : statSync(file, { throwIfNoEntry: false, bigint: true });
      return stats === undefined ? '' : `${stats.dev}/${stats.ino}/${stats.size}/${stats.mtimeNs}`;
    });
    return [text, ...states].join('\0');
  }
}
