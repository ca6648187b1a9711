import type { Client, estypes } from '@elastic/elasticsearch';
import { eventIndexPatterns, type IndexNames } from './indices.ts';

/** Above the built-in templates for `logs-*-*`. */
const priority = 500;
// Longer values cannot be terms of Lucene, whatever their characters; they stay in the document, but no filter finds them.
const keyword = { type: 'keyword', ignore_above: 8191 } as const;
/** Kept in the document only. */
const unsearchable = { type: 'keyword', index: false, doc_values: false } as const;
const long = { type: 'long' } as const;

/**
 * Kibana and other tools know the ECS names; what filters need beyond them is under `logloom`:
 * - `timestamp`: the microseconds. `@timestamp` holds no time before 1970 and is for dashboards.
 * - `words`, `attributes`, `numbers`: as libs/filter makes them.
 * - `number`: the numbers of attributes by path, for aggregations; as many paths as the limit on fields has room for.
 * - `raw_attributes`: the text of the attributes, to be returned unchanged.
 */
const eventMappings: estypes.MappingTypeMapping = {
  dynamic: false,
  // They are derived from the rest and would double the stored size.
  _source: { excludes: ['logloom.words', 'logloom.attributes', 'logloom.numbers', 'logloom.number'] },
  dynamic_templates: [
    { numbers: { path_match: 'logloom.number.*', mapping: { type: 'double', index: false } } },
  ],
  properties: {
    '@timestamp': { type: 'date_nanos' },
    log: { properties: { level: keyword } },
    service: { properties: { name: keyword } },
    host: { properties: { name: keyword } },
    message: { type: 'text', norms: false },
    trace: { properties: { id: keyword } },
    span: { properties: { id: keyword } },
    event: { properties: { id: { type: 'alias', path: 'logloom.id' } } },
    labels: { type: 'flattened', ignore_above: 1024 },
    logloom: {
      properties: {
        id: { ...keyword, doc_values: false },
        timestamp: long,
        partition: long,
        offset: long,
        correlation_id: keyword,
        correlation_kind: keyword,
        words: { type: 'text', analyzer: 'whitespace', norms: false },
        // Values that are too long are removed earlier.
        attributes: { type: 'keyword', ignore_above: 32_766 },
        numbers: { type: 'keyword', ignore_above: 32_766 },
        number: { type: 'object', dynamic: true },
        raw_attributes: unsearchable,
      },
    },
  },
};

const correlationMappings: estypes.MappingTypeMapping = {
  dynamic: false,
  properties: {
    '@timestamp': { type: 'date_nanos' },
    id: keyword,
    correlation_id: keyword,
    kind: keyword,
    close_reason: keyword,
    severity: keyword,
    services: keyword,
    rules: keyword,
    levels: keyword,
    ids: keyword,
    labels: keyword,
    shape: keyword,
    first_at: long,
    last_at: long,
    first_offset: long,
    // double: a filter may compare them with numbers outside the range of a long.
    partition: { type: 'double' },
    revision: { type: 'double' },
    event_count: { type: 'double' },
    error_count: { type: 'double' },
    duration_ms: { type: 'double' },
    document: unsearchable,
  },
};

export interface IndexSettings {
  /** logsdb takes half the space and twice the time to write; documents are stored unchanged in both. */
  indexMode: 'standard' | 'logsdb';
  shards: number;
}

/** The settings and mappings of an index with events. */
export function eventIndexBody({ indexMode, shards }: IndexSettings): IndexBody {
  const settings = commonSettings(shards);
  // By default logsdb rebuilds documents from their fields, which loses the order and the duplicates of lists.
  const logsdb = { mode: 'logsdb', mapping: { ...settings.mapping, source: { mode: 'stored' } } } as const;
  return {
    settings: { index: indexMode === 'logsdb' ? { ...settings, ...logsdb } : settings },
    mappings: eventMappings,
  };
}

/** The settings and mappings of the index with the correlation documents. */
export function correlationIndexBody({ shards }: IndexSettings): IndexBody {
  return { settings: { index: commonSettings(shards) }, mappings: correlationMappings };
}

interface IndexBody {
  settings: { index: estypes.IndicesIndexSettings };
  mappings: estypes.MappingTypeMapping;
}

/** How often writes become visible. */
export const refreshInterval = '1s';

function commonSettings(shards: number): estypes.IndicesIndexSettings {
  return {
    number_of_shards: shards,
    // A replica if there is a second node, and a green cluster if there is not.
    auto_expand_replicas: '0-1',
    refresh_interval: refreshInterval,
    codec: 'best_compression',
    // Of more paths with numbers, none has a field; the documents are stored all the same.
    mapping: { total_fields: { limit: 1000, ignore_dynamic_beyond_limit: true } },
    // Counting an attribute's values uses its path in a regular expression.
    max_regex_length: 65_536,
  };
}

/** Puts the templates of all indices, which are created by their first document. */
export async function putTemplates(
  client: Client,
  names: IndexNames,
  settings: IndexSettings,
): Promise<void> {
  await client.indices.putIndexTemplate({
    name: `logloom-${names.events}`,
    index_patterns: eventIndexPatterns(names),
    priority,
    template: { ...eventIndexBody(settings), aliases: { [names.events]: {} } },
  });
  await client.indices.putIndexTemplate({
    name: names.correlations,
    index_patterns: [names.correlations],
    priority,
    template: correlationIndexBody(settings),
  });
  // An index of an older release gets the new fields; its documents do not change.
  await client.indices.putMapping({
    index: names.correlations,
    properties: correlationMappings.properties!,
    ignore_unavailable: true,
    allow_no_indices: true,
  });
}
