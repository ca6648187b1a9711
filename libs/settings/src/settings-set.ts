import type { FileValue } from './connection/file-value.ts';
import { readGiven, type Given, type GivenValue } from './given.ts';
import { loadEnvironment, readDotenv } from './load-environment.ts';
import { secretsOf, withoutSecrets } from './secrets.ts';
import type { Declarations, Setting, Values } from './setting.ts';
import type { SettingsGroup } from './settings-group.ts';
import { SettingsError } from './settings-error.ts';
import { unknownNames } from './unknown-names.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** A declared setting, for `--help` and the docs. */
export interface DescribedSetting extends Omit<Setting<unknown>, 'schema'> {
  name: string;
  owner: string;
}

/** A setting as it is in force. */
export interface SettingInForce {
  name: string;
  /** The text as it may be shown: secrets are hidden. Undefined: not set, and no default. */
  value: string | undefined;
  origin: 'default' | 'environment' | '.env' | 'file';
  /** The path of the file, with the origin `file`. */
  file?: string;
  owner: string;
}

/** The settings that a process has: those of its service and of the libs that it uses, each declared by its owner. */
export class SettingsSet<D extends Declarations = Declarations> {
  readonly groups: readonly SettingsGroup[];

  constructor(groups: readonly SettingsGroup[]) {
    this.groups = groups;
  }

  /** This set and the settings of one more owner. Throws TypeError when a setting is declared twice. */
  with<More extends Declarations>(group: SettingsGroup<More>): SettingsSet<D & More> {
    if (this.groups.includes(group)) return this as unknown as SettingsSet<D & More>;
    for (const name of Object.keys(group.settings))
      if (this.#settings.has(name)) throw new TypeError(`${name} is declared twice`);
    return new SettingsSet([...this.groups, group]);
  }

  /** This set and all settings of another one. */
  withAll<More extends Declarations>(set: SettingsSet<More>): SettingsSet<D & More> {
    const all = set.groups.reduce<SettingsSet>((sum, group) => sum.with(group), this as SettingsSet);
    return all as unknown as SettingsSet<D & More>;
  }

  /** The values of the variables. Throws SettingsError with every problem. */
  parse(env: Env): Values<D> {
    return this.#parse(readGiven(this.#settings, env, {}), env);
  }

  /** The values of the environment and, for variables that it lacks, of a `.env` file. Throws SettingsError with every problem. */
  load(env: Env, dotenvPath = '.env'): Values<D> {
    const given = readGiven(this.#settings, env, readDotenv(dotenvPath));
    return this.#parse(given, loadEnvironment(env, dotenvPath));
  }

  /** The values in force and where they came from, in the order of declaration. Throws SettingsError with every problem. */
  inForce(env: Env, dotenvPath = '.env'): SettingInForce[] {
    this.load(env, dotenvPath);
    const given = readGiven(this.#settings, env, readDotenv(dotenvPath));
    return this.describe().map(({ name, default: fallback, owner }) => {
      const found = given.values.get(name);
      if (found === undefined) return { name, value: fallback, origin: 'default', owner };
      const { text, origin, file } = found;
      return { name, value: withoutSecrets(name, text), origin, ...(file !== undefined && { file }), owner };
    });
  }

  /** The secrets among the values, even if other values are invalid. */
  secretsGiven(env: Env, dotenvPath = '.env'): string[] {
    const { values } = readGiven(this.#settings, env, readDotenv(dotenvPath));
    return secretsOf(Object.fromEntries([...values].map(([name, { text }]) => [name, text])));
  }

  describe(): DescribedSetting[] {
    return this.groups.flatMap(({ owner, settings }) =>
      Object.entries(settings).map(([name, setting]) => {
        const { schema: _, ...described } = setting;
        return { name, owner, ...described };
      }),
    );
  }

  get #settings(): Map<string, Setting<unknown>> {
    return new Map(this.groups.flatMap(({ settings }) => Object.entries(settings)));
  }

  #parse(given: Given, env: Env): Values<D> {
    const problems = [...given.problems, ...unknownNames(this.groups, env)];
    const values: Record<string, unknown> = {};
    for (const [name, { schema, bounds, secrecy, isFileValue }] of this.#settings) {
      const found = given.values.get(name);
      const text = found?.text;
      const result = schema.safeParse(isFileValue && found !== undefined ? fileValue(name, found) : text);
      if (result.success) values[name] = result.data;
      else {
        // In a text that is not even a URL, nothing tells the password from the rest.
        const shown = secrecy === 'none' ? text : '***';
        for (const message of new Set(result.error.issues.map((issue) => issue.message))) {
          const allowed = bounds === undefined || message.includes(bounds) ? '' : ` (allowed: ${bounds})`;
          problems.push(`${name}=${shown}: ${message}${allowed}`);
        }
      }
    }
    if (problems.length === 0) for (const { check } of this.groups) problems.push(...check(values));
    if (problems.length > 0) throw new SettingsError(problems);
    return values as Values<D>;
  }
}

function fileValue(setting: string, { text, file }: GivenValue): FileValue {
  return { setting, text, ...(file !== undefined && { file }) };
}

/** A set of the settings of one owner, to add others to. */
export function settingsOf<D extends Declarations>(group: SettingsGroup<D>): SettingsSet<D> {
  return new SettingsSet([group]);
}

/** The values of a set. */
export type ValuesOf<Set> = Set extends SettingsSet<infer D> ? Values<D> : never;
