import { distance } from './distance.ts';
import { mayBeInFile } from './setting.ts';
import type { SettingsGroup } from './settings-group.ts';

/** How many letters may differ in a name whose prefix others use too. */
const nearly = 2;
/** The variables that Kubernetes adds for each service, https://kubernetes.io/docs/tutorials/services/connect-applications-service. */
const serviceLink =
  /_(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?|PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)$/;

/**
 * Variables that look like settings of Logloom but are not, each with the nearest setting. Every unknown name under a prefix that only
 * Logloom uses counts. Under other prefixes (KAFKA_, REDIS_) a name counts only if it differs from a setting by at most two letters or
 * lacks its unit: KAFKA_HOME belongs to another program. Variables that Kubernetes adds for services do not count.
 */
export function unknownNames(
  groups: readonly SettingsGroup[],
  env: Readonly<Record<string, string | undefined>>,
): string[] {
  const known = new Set(
    groups.flatMap(({ settings, elsewhere }) => [
      ...elsewhere,
      ...Object.entries(settings).flatMap(([name, setting]) =>
        mayBeInFile(setting) ? [name, `${name}_FILE`] : [name],
      ),
    ]),
  );
  const prefixes = groups.flatMap((group) => group.prefixes);
  const isOurs = (name: string): boolean => prefixes.some((prefix) => name.startsWith(prefix));
  const shared = [...known].filter((name) => name.includes('_') && !isOurs(name));
  return Object.keys(env)
    .filter((name) => env[name] !== undefined && !known.has(name) && !isServiceLink(name, env[name]))
    .flatMap((name) => {
      if (isOurs(name)) return [`${name}: there is no such setting; ${suggestion(name, [...known])}`];
      const near = shared.find((other) => isNearlyThe(other, name));
      return near === undefined ? [] : [`${name}: there is no such setting; did you mean ${near}?`];
    });
}

/** Whether a name differs by a few letters, or lacks the setting's unit: SEARCH_RETENTION for SEARCH_RETENTION_MS. */
function isNearlyThe(setting: string, name: string): boolean {
  if (first(setting) !== first(name)) return false;
  return distance(name, setting) <= nearly || setting.replace(/_(?:MS|BYTES)$/, '') === name;
}

function isServiceLink(name: string, value: string): boolean {
  return serviceLink.test(name) || (name.endsWith('_PORT') && /^(?:tcp|udp|sctp):\/\//.test(value));
}

function suggestion(name: string, known: readonly string[]): string {
  const [nearest] = known.toSorted((a, b) => distance(name, a) - distance(name, b));
  const isNear = nearest !== undefined && distance(name, nearest) <= Math.max(nearly, name.length / 3);
  return isNear ? `did you mean ${nearest}?` : 'logloom up --help lists them';
}

function first(name: string): string {
  return name.split('_', 1)[0]!;
}
