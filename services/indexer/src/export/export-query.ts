import type { Sealer } from '@logloom/auth';
import type { Filter } from '@logloom/filter';
import { parseMicros } from '@logloom/schemas';
import type { EventPlace, ScanQuery } from '@logloom/search-store';
import type { QueryParameters } from '../api/query-parameters.ts';
import { ApiError } from '../errors.ts';
import { csvColumns, isCsvColumn, type CsvOptions } from './csv-writer.ts';

const exportFormats = ['ndjson', 'csv', 'parquet'] as const;
export type ExportFormat = (typeof exportFormats)[number];

const maxColumns = 200;
/** Of a file of Parquet, which is made before it is sent. */
const partEvents = 200_000;
const maxPartEvents = 1_000_000;

export interface ExportQuery {
  format: ExportFormat;
  csv: CsvOptions;
  scan: Pick<ScanQuery, 'filter' | 'fromMicros' | 'toMicros' | 'snapshot' | 'after'>;
  /** How many events at most; undefined: all. */
  limit: number | undefined;
  /** The value of the response's header, for the store's snapshot. */
  seal: (snapshot: string) => string;
}

/** What the header holds: relative ends of a range are those of the first request. */
interface Sealed {
  snapshot: string;
  fromMicros?: number;
  toMicros?: number;
}

/** Reads the parameters. Throws ApiError `bad-parameter`, `bad-filter`, `bad-cursor`. */
export function exportQuery(
  query: QueryParameters,
  sealer: Sealer,
  imposed: Filter | undefined,
): ExportQuery {
  const context = ['/api/export', imposed?.canonical ?? '', query.documentFilter().canonical];
  const sealed = query.text('snapshot');
  const opened = sealed === undefined ? undefined : sealer.open(sealed, context);
  if (sealed !== undefined && opened === undefined)
    throw new ApiError('bad-cursor', 'this snapshot does not belong to the same export', {
      parameter: 'snapshot',
    });
  const given = opened === undefined ? undefined : (JSON.parse(opened) as Sealed);
  const range = given ?? query.range();
  const after = placeOf(query.text('after'));
  if (after !== undefined && given === undefined)
    throw new ApiError('bad-parameter', 'after needs snapshot', { parameter: 'after' });
  const format = query.oneOf('format', exportFormats, 'ndjson');
  const columns = query.list('columns', maxColumns);
  const unknown = columns.find((column) => !isCsvColumn(column));
  if (unknown !== undefined || (columns.length > 0 && format !== 'csv'))
    throw new ApiError(
      'bad-parameter',
      unknown === undefined
        ? 'columns are for format=csv'
        : `columns are ${csvColumns.join(', ')} and attributes.<path>`,
      { parameter: 'columns' },
    );
  const { fromMicros, toMicros } = range;
  return {
    format,
    csv: {
      columns: columns.length === 0 ? csvColumns : columns,
      escapesFormulas: query.oneOf('formulas', ['keep', 'escape'], 'keep') === 'escape',
    },
    scan: { filter: query.filter(), fromMicros, toMicros, snapshot: given?.snapshot, after },
    limit: limitOf(query, format),
    seal: (snapshot) =>
      sealer.seal(
        JSON.stringify({ snapshot, fromMicros, toMicros } satisfies Partial<Record<keyof Sealed, unknown>>),
        context,
      ),
  };
}

/** `timestamp,partition,offset`. */
function placeOf(text: string | undefined): EventPlace | undefined {
  if (text === undefined) return undefined;
  const [, time = '', partition, offset] = /^(.+),(\d{1,9}),(\d{1,15})$/.exec(text) ?? [];
  const timestamp = parseMicros(time);
  if (!Number.isSafeInteger(timestamp))
    throw new ApiError('bad-parameter', "after is an event's timestamp,partition,offset", {
      parameter: 'after',
    });
  return { timestamp, partition: Number(partition), offset: Number(offset) };
}

function limitOf(query: QueryParameters, format: ExportFormat): number | undefined {
  const isGiven = query.text('limit') !== undefined;
  if (!isGiven && format !== 'parquet') return undefined;
  const limit = query.limit(partEvents, format === 'parquet' ? maxPartEvents : Number.MAX_SAFE_INTEGER);
  if (limit === 0) throw new ApiError('bad-parameter', 'limit is at least 1', { parameter: 'limit' });
  return limit;
}
