import { createHash } from 'node:crypto';
import { LineCounter, parseDocument } from 'yaml';
import { checkTemplate } from '../senders/body-template.ts';
import type { ReceiversErrorCode, ReceiversProblem } from './receivers-problem.ts';
import type { ReceiverText } from './receiver-schema.ts';
import { receiversFileSchema } from './receivers-schema.ts';
import { resolveReferences } from './resolve-references.ts';
import { compileRoutes, type Route } from './route.ts';
import { secretsOfReceiver } from './secrets-of-receiver.ts';
import { keyOffset, pathText, valueOffset, type Path } from './yaml-places.ts';

/** The receivers and routes of a file. */
export interface Receivers {
  /** The first 12 hexadecimal digits of the SHA-256 of the text. */
  version: string;
  text: string;
  /** The console's URL as people reach it. */
  link: string | undefined;
  receivers: ReadonlyMap<string, ReceiverText>;
  routes: readonly Route[];
  /** What must not be shown: the values of variables, and secrets that the file has itself. */
  secrets: readonly string[];
  /** Receivers that no route names. */
  unused: readonly string[];
}

export type ReceiversResult =
  { ok: true; receivers: Receivers } | { ok: false; problems: ReceiversProblem[] };

type Env = Readonly<Record<string, string | undefined>>;

/** Reads a receivers file; `env` has the variables that it names. Never throws; returns all problems at once, in the order of the text. */
export function parseReceivers(text: string, env: Env): ReceiversResult {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' });
  const problems: ReceiversProblem[] = [];
  const report = (offset: number, code: ReceiversErrorCode, message: string): void => {
    const { line, col } = lines.linePos(offset);
    problems.push({ line: Math.max(1, line), column: Math.max(1, col), code, message });
  };
  for (const { pos, message } of [...document.errors, ...document.warnings])
    report(pos[0], 'bad-receivers-yaml', message);
  if (problems.length > 0) return { ok: false, problems };
  let written: unknown;
  try {
    // Aliases that would expand without limit are refused here.
    written = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    report(0, 'bad-receivers-yaml', (error as Error).message);
    return { ok: false, problems };
  }
  const { value, secrets, missing } = resolveReferences(written, env);
  const unresolved = new Set(missing.map(({ path }) => path.join('\0')));
  for (const { path, message } of missing) report(valueOffset(document, path), 'missing-secret', message);

  const parsed = receiversFileSchema.safeParse(value);
  for (const issue of parsed.error?.issues ?? []) {
    const path = issue.path as (string | number)[];
    if (unresolved.has(path.join('\0'))) continue;
    const extra = issue.code === 'unrecognized_keys' ? [issue.keys[0]!] : [];
    const at = extra.length > 0 ? keyOffset(document, [...path, ...extra]) : valueOffset(document, path);
    const message = issue.code === 'invalid_key' ? issue.issues[0]!.message : issue.message;
    const place = path.length === 0 ? '' : `${pathText(path)}: `;
    report(at, path[0] === 'routes' ? 'bad-route' : 'bad-receiver', `${place}${lowerFirst(message)}`);
  }

  // What has the right form is checked further, so that one run shows all problems.
  const names = new Set<string>();
  for (const [i, receiver] of arrayIn(value, 'receivers').entries()) {
    const at = (...path: Path): number => valueOffset(document, ['receivers', i, ...path]);
    if (typeof receiver['name'] === 'string') {
      if (names.has(receiver['name']))
        report(at('name'), 'bad-receiver', `another receiver has the name ${receiver['name']}`);
      names.add(receiver['name']);
    }
    const body = (receiver['webhook'] as { body?: unknown } | undefined)?.body;
    const problem = typeof body === 'string' ? checkTemplate(body) : undefined;
    if (problem !== undefined)
      report(at('webhook', 'body'), 'bad-template', `receivers[${i}].webhook.body: ${problem}`);
  }
  const used = new Set<string>();
  const checkRoutes = (routes: Record<string, unknown>[], path: Path, inherited: unknown): void => {
    for (const [i, route] of routes.entries()) {
      const name = route['receiver'] ?? inherited;
      const here = [...path, i];
      if (name === undefined)
        report(valueOffset(document, here), 'bad-route', `${pathText(here)}: has no receiver`);
      else if (typeof name === 'string') {
        used.add(name);
        if (route['receiver'] !== undefined && !names.has(name))
          report(
            valueOffset(document, [...here, 'receiver']),
            'bad-route',
            `${pathText(here)}.receiver: there is no receiver ${name}`,
          );
      }
      checkRoutes(arrayIn(route, 'routes'), [...here, 'routes'], name);
    }
  };
  checkRoutes(arrayIn(value, 'routes'), ['routes'], undefined);

  if (problems.length > 0 || !parsed.success)
    return { ok: false, problems: problems.sort((a, b) => a.line - b.line || a.column - b.column) };
  const { link, receivers, routes } = parsed.data;
  return {
    ok: true,
    receivers: {
      version: createHash('sha256').update(text).digest('hex').slice(0, 12),
      text,
      link: link?.replace(/\/+$/, ''),
      receivers: new Map(receivers.map((receiver) => [receiver.name, receiver])),
      routes: compileRoutes(routes),
      secrets: [...new Set([...secrets, ...receivers.flatMap(secretsOfReceiver)])],
      unused: [...names].filter((name) => !used.has(name)),
    },
  };
}

/** The objects of an array, if there is one. */
function arrayIn(value: unknown, key: string): Record<string, unknown>[] {
  const given = (value as Record<string, unknown> | null)?.[key];
  if (!Array.isArray(given)) return [];
  return given.map((item: unknown) =>
    typeof item === 'object' && item !== null ? (item as Record<string, unknown>) : {},
  );
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
