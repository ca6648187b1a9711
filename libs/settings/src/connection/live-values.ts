import { statSync } from 'node:fs';
import { rememberSecret } from '../secrets.ts';
import { SettingsError } from '../settings-error.ts';
import type { FileValue } from './file-value.ts';
import { readFileValue } from './read-file-value.ts';

/** A change is taken up once the files have been the same for two looks: a writer may be half done. */
const lookEveryMs = 1_000;

/** The texts by the keys that they were given under; undefined: the setting is not given. */
export type Texts<Key extends string> = Readonly<Partial<Record<Key, string | undefined>>>;

/** What `make` throws for a text that cannot be used; the message names neither the setting nor the secret. */
export class UnusableValue extends Error {
  readonly setting: string;
  constructor(setting: string, reason: string) {
    super(reason);
    this.setting = setting;
  }
}

export interface LiveValuesOptions<Key extends string, Made> {
  values: Readonly<Partial<Record<Key, FileValue | undefined>>>;
  /** Makes of the texts what is worked with. Throws UnusableValue. */
  make: (texts: Texts<Key>) => Made;
  /** Gets one line for each change that cannot be used. What was there before stays in use. */
  onTrouble?: ((message: string) => void) | undefined;
  /** Called after a change was taken up. */
  onChange?: (() => void) | undefined;
  lookEveryMs?: number;
}

/**
 * What is made of settings that files may hold, as the files are now. They are looked at every second by their time, size and place: so
 * the symbolic link that Kubernetes moves for a whole folder of secrets counts as a change. Files that belong together, such as a certificate
 * and its key, are taken up together.
 */
export class LiveValues<Key extends string, Made> implements Disposable {
  readonly #options: LiveValuesOptions<Key, Made>;
  readonly #files: readonly FileValue[];
  readonly #timer: NodeJS.Timeout | undefined;
  #current: Made;
  #seen: string;
  #pending: string | undefined;

  /** Throws SettingsError when what was given at the start cannot be used. */
  constructor(options: LiveValuesOptions<Key, Made>) {
    this.#options = options;
    const given = Object.values<FileValue | undefined>(options.values);
    this.#files = given.filter((value): value is FileValue => value?.file !== undefined);
    this.#seen = this.#look();
    try {
      this.#current = options.make(this.#texts((value) => value.text));
    } catch (error) {
      if (!(error instanceof UnusableValue)) throw error;
      throw new SettingsError([`${error.setting}: ${error.message}`]);
    }
    if (this.#files.length > 0)
      // It must not keep the process alive.
      this.#timer = setInterval(() => this.#turn(), options.lookEveryMs ?? lookEveryMs).unref();
  }

  get current(): Made {
    return this.#current;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #turn(): void {
    const now = this.#look();
    if (now === this.#seen) this.#pending = undefined;
    else if (now !== this.#pending) this.#pending = now;
    else this.#takeUp(now);
  }

  #takeUp(seen: string): void {
    this.#seen = seen;
    this.#pending = undefined;
    let made: Made;
    try {
      made = this.#options.make(this.#texts(read));
    } catch (error) {
      const { setting, message } = error instanceof UnusableValue ? error : unreadable(error);
      this.#options.onTrouble?.(`${setting}: ${message}; what it was before stays in use`);
      return;
    }
    this.#current = made;
    this.#options.onChange?.();
  }

  #texts(textOf: (value: FileValue) => string): Texts<Key> {
    const entries = Object.entries(this.#options.values) as [Key, FileValue | undefined][];
    return Object.fromEntries(
      entries.map(([key, value]) => [key, value === undefined ? undefined : textOf(value)]),
    ) as Texts<Key>;
  }

  /** What tells whether a file is another one than before. */
  #look(): string {
    return this.#files
      .map(({ file }) => {
        const stats = statSync(file!, { throwIfNoEntry: false, bigint: true });
        return stats === undefined ? '-' : `${stats.dev}/${stats.ino}/${stats.size}/${stats.mtimeNs}`;
      })
      .join();
  }
}

function read({ setting, text, file }: FileValue): string {
  if (file === undefined) return text;
  let now: string;
  try {
    now = readFileValue(file);
  } catch (error) {
    throw new UnusableValue(`${setting}_FILE=${file}`, (error as NodeJS.ErrnoException).code ?? 'unreadable');
  }
  if (now.trim() === '') throw new UnusableValue(`${setting}_FILE=${file}`, 'the file is empty');
  rememberSecret(setting, now);
  return now;
}

function unreadable(error: unknown): { setting: string; message: string } {
  return {
    setting: 'a file of the settings',
    message: error instanceof Error ? error.message : String(error),
  };
}
