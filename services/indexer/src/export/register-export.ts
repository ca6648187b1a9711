import type { Sealer } from '@logloom/auth';
import type { Filter } from '@logloom/filter';
import { eventToJson, type PlacedEvent } from '@logloom/schemas';
import type { FoundEvent, SearchStore } from '@logloom/search-store';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Readable } from 'node:stream';
import { goneSignal } from '../api/api-queue.ts';
import type { QueryParameters } from '../api/query-parameters.ts';
import { CsvWriter } from './csv-writer.ts';
import { exportQuery, type ExportQuery } from './export-query.ts';
import { parquetPart } from './parquet-part.ts';
import { RunningExports } from './running-exports.ts';
import { startScan } from './scan-pages.ts';

export interface ExportDeps {
  sealer: Sealer;
  parametersOf: (request: FastifyRequest) => QueryParameters;
  storeOf: (request: FastifyRequest) => Pick<SearchStore, 'scan'>;
  principalOf: (request: FastifyRequest) => { name?: string | undefined; filter?: Filter | undefined };
  /** Runs a part of a request's work when it is its turn. */
  admit: <T>(request: FastifyRequest, gone: AbortSignal, work: () => Promise<T>) => Promise<T>;
}

const types = { ndjson: 'application/x-ndjson', csv: 'text/csv; charset=utf-8; header=present' };
/** At once: each holds a page in memory. */
const mostAtOnce = 8;
/** Pages are handed on in pieces of about this size, so that little waits for a slow client. */
const pieceLength = 65_536;

/** Adds `GET /export`: all matching events as a stream, which can be continued anywhere by `snapshot` and `after`. */
export function registerExport(api: FastifyInstance, deps: ExportDeps): void {
  const running = new RunningExports(mostAtOnce);
  api.get('/export', async (request, reply) => {
    const { name = '', filter } = deps.principalOf(request);
    const query = exportQuery(deps.parametersOf(request), deps.sealer, filter);
    const gone = goneSignal(reply.raw);
    const end = running.begin(name);
    const scan = { store: deps.storeOf(request), query: query.scan, limit: query.limit, gone };
    try {
      if (query.format === 'parquet') {
        const { body, snapshot, after } = await parquetPart(scan);
        body.once('close', end);
        if (after !== undefined) reply.header('logloom-after', after);
        return await reply
          .header('logloom-snapshot', query.seal(snapshot))
          .header('content-disposition', 'attachment; filename="events.parquet"')
          .type('application/vnd.apache.parquet')
          .send(body);
      }
      const { snapshot, pages } = await startScan({
        ...scan,
        admit: (work) => deps.admit(request, gone, work),
      });
      const body = Readable.from(texts(pages, query), { objectMode: false });
      body.once('close', end);
      return await reply
        .header('logloom-snapshot', query.seal(snapshot))
        .header('content-disposition', `attachment; filename="events.${query.format}"`)
        .type(types[query.format])
        .send(body);
    } catch (error) {
      end();
      throw error;
    }
  });
}

async function* texts(
  pages: AsyncIterable<FoundEvent[]>,
  { format, csv, scan }: ExportQuery,
): AsyncGenerator<Buffer> {
  const writer = format === 'csv' ? new CsvWriter(csv) : undefined;
  // What is continued has its head already.
  let text = scan.after === undefined ? (writer?.head ?? '') : '';
  for await (const page of pages) {
    for (const event of page) {
      text += writer?.line(event) ?? `${eventToJson(event as PlacedEvent)}\n`;
      if (text.length < pieceLength) continue;
      yield Buffer.from(text);
      text = '';
    }
  }
  if (text !== '') yield Buffer.from(text);
}
