import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One line of Kibana's export: an object of the types index-pattern, search, visualization or dashboard. */
export interface SavedObject {
  id: string;
  type: string;
  attributes: Record<string, unknown>;
  references: { id: string; name: string; type: string }[];
}

/** The objects that infra/compose imports into Kibana. */
export function readSavedObjects(): SavedObject[] {
  const lines = readFileSync(join(import.meta.dirname, 'saved-objects.ndjson'), 'utf8')
    .trimEnd()
    .split('\n');
  return lines.map((line) => JSON.parse(line) as SavedObject);
}

/** The fields of its data view that an object names: in columns, sort orders, aggregations and queries. */
export function fieldsIn({ attributes }: SavedObject): string[] {
  const {
    columns = [],
    sort = [],
    timeFieldName,
    visState,
    kibanaSavedObjectMeta,
  } = attributes as Attributes;
  const { query } = JSON.parse(kibanaSavedObjectMeta?.searchSourceJSON ?? '{}') as {
    query?: { query: string };
  };
  const { aggs = [] } = JSON.parse(visState ?? '{}') as { aggs?: { params: { field?: string } }[] };
  return [
    ...columns,
    ...sort.map(([field]) => field),
    ...aggs.flatMap(({ params: { field } }) => field ?? []),
    ...(timeFieldName === undefined ? [] : [timeFieldName]),
    // What stands before a colon or a comparison, outside of quotes.
    ...[...(query?.query ?? '').replaceAll(/"[^"]*"/g, '').matchAll(/([\w.@]+)\s*(?::|[<>]=?)/g)].map(
      ([, field]) => field!,
    ),
  ];
}

interface Attributes {
  columns?: string[];
  sort?: [field: string, order: string][];
  timeFieldName?: string;
  visState?: string;
  kibanaSavedObjectMeta?: { searchSourceJSON: string };
}
