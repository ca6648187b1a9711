import { isSecretName } from './secrets.ts';
import type { Declarations, Values } from './setting.ts';

/** The settings of one owner. */
export interface SettingsGroup<D extends Declarations = Declarations> {
  /** The folder of the project that declares them, such as `services/ingest`. */
  readonly owner: string;
  /** Every variable with this prefix is meant for Logloom: one that is not declared stops the start. */
  readonly prefixes: readonly string[];
  /** Variables with these prefixes that other services, tests or compose files read. */
  readonly elsewhere: readonly string[];
  readonly settings: D;
  /** What is wrong with the values taken together, each problem beginning with a name. */
  readonly check: (values: Readonly<Record<string, unknown>>) => readonly string[];
}

/**
 * Declares the settings of one service or lib, in its folder. Throws TypeError if a name and the secrecy of its value contradict each
 * other: where only the name is known, it decides whether the value is a secret.
 */
export function declareSettings<D extends Declarations>(
  owner: { owner: string; prefixes?: readonly string[]; elsewhere?: readonly string[] },
  settings: D,
  check: (values: Values<D>) => readonly string[] = () => [],
): SettingsGroup<D> {
  for (const [name, { secrecy, description }] of Object.entries(settings)) {
    if (!/^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/.test(name))
      throw new TypeError(`${name} is not a valid name of a setting`);
    if (isSecretName(name) !== (secrecy === 'secret'))
      throw new TypeError(`${name}: a secret ends in _KEY, _TOKEN, _PASSWORD, _SECRET or _PASSPHRASE`);
    if (description === '') throw new TypeError(`${name} is not described`);
  }
  return {
    owner: owner.owner,
    prefixes: owner.prefixes ?? [],
    elsewhere: owner.elsewhere ?? [],
    settings,
    check: (values) => check(values as Values<D>),
  };
}
