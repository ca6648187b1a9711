import { fieldNames } from '@logloom/ingest/field-names';

/** What events get that do not say it themselves. */
export interface EventDefaults {
  service?: string | undefined;
  host?: string | undefined;
  /** Attributes by their dotted names. */
  attributes?: Readonly<Record<string, unknown>> | undefined;
}

const names = { service: spellings('service'), host: spellings('host') };

/**
 * Returns the event's JSON with what it lacks. The text of an object is not parsed: members in front of it stand behind its own, because the
 * last of a name counts.
 */
export function addDefaults(
  content: string | Readonly<Record<string, unknown>>,
  defaults: EventDefaults,
): string {
  if (typeof content !== 'string') return JSON.stringify(withDefaults(content, defaults));
  const { service, host, attributes } = defaults;
  if (service === undefined && host === undefined) return inserted(attributesText(attributes), content);
  const members: Record<string, unknown> = { ...attributes };
  for (const field of ['service', 'host'] as const)
    if (defaults[field] !== undefined && !names[field].test(content)) members[field] = defaults[field];
  return inserted(JSON.stringify(members), content);
}

// All events of a file have the same.
let lastAttributes: EventDefaults['attributes'];
let lastText = '{}';

function attributesText(attributes: EventDefaults['attributes']): string {
  if (attributes !== lastAttributes) {
    lastAttributes = attributes;
    lastText = JSON.stringify(attributes ?? {});
  }
  return lastText;
}

/** Puts an object's members in front of those of another. */
function inserted(members: string, content: string): string {
  if (members === '{}') return content;
  const rest = content.trimStart().slice(1);
  return `${members.slice(0, -1)}${/^\s*\}/.test(rest) ? '' : ','}${rest}`;
}

function withDefaults(
  event: Readonly<Record<string, unknown>>,
  { service, host, attributes }: EventDefaults,
): Record<string, unknown> {
  const whole: Record<string, unknown> = { ...event };
  if (service !== undefined) whole['service'] ??= service;
  if (host !== undefined) whole['host'] ??= host;
  for (const [name, value] of Object.entries(attributes ?? {})) addNested(whole, name.split('.'), value);
  return whole;
}

/** Sets a value under its nested name, unless something else is there. */
function addNested(event: Record<string, unknown>, [name, ...path]: readonly string[], value: unknown): void {
  const inner = event[name!];
  if (path.length === 0) event[name!] ??= value;
  else if (inner === undefined) event[name!] = nested(path, value);
  else if (typeof inner === 'object' && inner !== null && !Array.isArray(inner)) {
    const copy = { ...(inner as Record<string, unknown>) };
    addNested(copy, path, value);
    event[name!] = copy;
  } else event[[name, ...path].join('.')] ??= value;
}

function nested([name, ...path]: readonly string[], value: unknown): Record<string, unknown> {
  return { [name!]: path.length === 0 ? value : nested(path, value) };
}

/** Matches a member of the field in a JSON text. It may match within a value too: then the event's own is missed by the default only. */
function spellings(field: 'service' | 'host'): RegExp {
  // `logger` means other things too, and the default wins over it.
  const names = fieldNames[field].filter((name) => name !== 'logger');
  const around = names.flatMap((name) => (name.includes('.') ? [name.split('.')[0]!] : []));
  // Docker has a line as the text `log`, in which quotes are escaped.
  return new RegExp(`"(?:${oneOf(names)})\\\\*"\\s*:|"(?:${oneOf(around)})\\\\*"\\s*:\\s*[{[]`, 'i');
}

function oneOf(names: readonly string[]): string {
  return [...new Set(names)].map((name) => name.replace(/[.\\-]/g, '\\$&')).join('|');
}
