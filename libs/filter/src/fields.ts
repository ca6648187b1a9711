import { keywordFields, type KeywordField, type NumberField } from './ast.ts';

/** What a field name in a filter stands for. */
export type Field =
  | { type: 'level' }
  | { type: 'message' }
  | { type: 'keyword'; name: KeywordField }
  | { type: 'number'; name: NumberField }
  | { type: 'attribute'; path: string };

const aliases: Record<string, string> = {
  '@timestamp': 'timestamp',
  time: 'timestamp',
  'log.level': 'level',
  'service.name': 'service',
  'host.name': 'host',
  'trace.id': 'traceId',
  trace_id: 'traceId',
  'span.id': 'spanId',
  span_id: 'spanId',
};

const fields = new Map<string, Field>([
  ['level', { type: 'level' }],
  ['message', { type: 'message' }],
  ['timestamp', { type: 'number', name: 'timestamp' }],
  ['partition', { type: 'number', name: 'partition' }],
  ['offset', { type: 'number', name: 'offset' }],
  ...keywordFields.map((name): [string, Field] => [name, { type: 'keyword', name }]),
]);
for (const [alias, name] of Object.entries(aliases)) fields.set(alias, fields.get(name)!);

const attributePrefix = 'attributes.';

/** The field of that name; every other name is an attribute's path. */
export function fieldOf(name: string): Field {
  const path = name.startsWith(attributePrefix) ? name.slice(attributePrefix.length) : name;
  return fields.get(name) ?? { type: 'attribute', path };
}

// Every event has these.
const always = new Set<string>(['service', 'id']);

/** Whether an event can lack the field. */
export function isOptional(field: Field): boolean {
  return field.type === 'attribute' || (field.type === 'keyword' && !always.has(field.name));
}
