import { readFileSync } from 'node:fs';
import type { Path } from './yaml-places.ts';

export interface Resolved {
  value: unknown;
  /** What the references stood for. */
  secrets: string[];
  /** The variables that are not set, and where they are named. */
  missing: { path: Path; message: string }[];
}

type Env = Readonly<Record<string, string | undefined>>;

const reference = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g;

/**
 * Puts the values of variables in the place of `${NAME}`, in every text of the value but webhooks' bodies, which are templates. A variable is
 * NAME, or what is in the file that NAME_FILE names; a line break at its end does not count.
 */
export function resolveReferences(value: unknown, env: Env, path: Path = []): Resolved {
  const resolved: Resolved = { value, secrets: [], missing: [] };
  if (typeof value === 'string') {
    resolved.value = value.replaceAll(reference, (text, name: string) => {
      const found = valueOf(name, env);
      if (typeof found === 'string') {
        resolved.secrets.push(found);
        return found;
      }
      resolved.missing.push({ path, message: `${text}: ${found.problem}` });
      return text;
    });
    return resolved;
  }
  if (typeof value !== 'object' || value === null) return resolved;
  const entries = Object.entries(value).map(([key, item]): [string, unknown] => {
    if (key === 'body') return [key, item];
    const inner = resolveReferences(item, env, [...path, Array.isArray(value) ? Number(key) : key]);
    resolved.secrets.push(...inner.secrets);
    resolved.missing.push(...inner.missing);
    return [key, inner.value];
  });
  resolved.value = Array.isArray(value) ? entries.map(([, item]) => item) : Object.fromEntries(entries);
  return resolved;
}

function valueOf(name: string, env: Env): string | { problem: string } {
  const own = env[name];
  if (own !== undefined && own !== '') return own;
  const file = env[`${name}_FILE`];
  if (file === undefined || file === '') return { problem: `neither ${name} nor ${name}_FILE is set` };
  try {
    const text = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
    return text === '' ? { problem: `the file that ${name}_FILE names is empty` } : text;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    return { problem: `the file that ${name}_FILE names cannot be read (${code})` };
  }
}
