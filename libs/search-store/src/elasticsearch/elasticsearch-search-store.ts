import type { Client } from '@elastic/elasticsearch';
import type { Correlation, FillMark, FillMove, PlacedEvent } from '@logloom/schemas';
import type { Aggregate, AggregateQuery } from '../aggregate/aggregate-query.ts';
import type { RequestGroupsResult } from '../request-groups.ts';
import type { ScanPage, ScanQuery } from '../scan.ts';
import type {
  CorrelationsPage,
  CorrelationsQuery,
  FoundEvent,
  GroupRequestsQuery,
  Histogram,
  HistogramQuery,
  Refused,
  SearchPage,
  SearchQuery,
  SearchRebuild,
  SearchStore,
  ShapeDuration,
  ShapeDurationsQuery,
  TopValues,
  TopValuesQuery,
} from '../search-store.ts';
import { AccessFaults } from '@logloom/settings/connection';
import {
  checkAccess,
  createClient,
  ElasticsearchCredentials,
  noteFaults,
  type ElasticsearchAccess,
} from './access.ts';
import { createEvent, firstOfEachId, putCorrelation } from './actions.ts';
import { BulkWriter, type BulkSettings } from './bulk.ts';
import { asStoreError } from './errors.ts';
import { eventIndex, type IndexNames } from './indices.ts';
import { ElasticsearchMarks } from './marks.ts';
import { missingCorrelations, missingEvents } from './missing.ts';
import { ElasticsearchReader } from './reader.ts';
import { ElasticsearchRebuild } from './rebuild.ts';
import { deleteCorrelationsBefore, deleteEventsBefore } from './retention.ts';
import { putTemplates, type IndexSettings } from './templates.ts';

export interface ElasticsearchSearchStoreOptions extends Partial<IndexSettings> {
  /** Who asks, and by which certificates. */
  access?: ElasticsearchAccess | undefined;
  /** Gets why a changed file with a credential cannot be used. */
  onTrouble?: ((message: string) => void) | undefined;
  /** Opens for queries only: writes reject, and no templates are put. */
  readOnly?: boolean;
  /** How long one query may run; default 10 s. */
  queryLimitMs?: number;
  /** A page ends after this many bytes; default 8 MiB. */
  pageBytes?: number | undefined;
  /** Default `logs` and `logloom-correlations`. */
  names?: IndexNames;
  bulk?: Partial<BulkSettings>;
}

const defaultNames: IndexNames = { events: 'logs', correlations: 'logloom-correlations' };
const defaultBulk: BulkSettings = {
  maxBytes: 5_000_000,
  maxDocuments: 2000,
  inFlight: 4,
  attempts: 6,
  backoffMs: 100,
  maxBackoffMs: 5000,
  refresh: false,
};
const bulkLimitMs = 60_000;

/**
 * The search store on Elasticsearch 9: an index a day under the alias `logs`, and one of correlation documents. Writes are found within a
 * second. A duplicate of an event is recognized if it has the same day, which it always has in a replay. A rebuild creates a second set of
 * indices and then gives them the names of the first (rebuild.ts).
 */
export class ElasticsearchSearchStore implements SearchStore {
  readonly #url: string;
  readonly #client: Client;
  readonly #credentials: ElasticsearchCredentials;
  readonly #faults = new AccessFaults();
  readonly #names: IndexNames;
  readonly #settings: IndexSettings;
  readonly #readOnly: boolean;
  readonly #reader: ElasticsearchReader;
  readonly #writer: BulkWriter;
  readonly #marks: ElasticsearchMarks;
  readonly #bulk: BulkSettings;
  #templates: Promise<void> | undefined;

  /** Connects when the first call needs it. `url` may have several addresses, comma-separated, and a user and
   * password in each. */
  constructor(url: string, options: ElasticsearchSearchStoreOptions = {}) {
    const { readOnly = false, queryLimitMs = 10_000, names = defaultNames, bulk, pageBytes } = options;
    const { indexMode = 'standard', shards = 1 } = options;
    // Callers repeat retriable calls: retries here would only multiply the load on a server in trouble.
    this.#url = url;
    this.#credentials = new ElasticsearchCredentials(options.access, options.onTrouble);
    this.#client = createClient(url, this.#credentials, { maxRetries: 0, requestTimeout: bulkLimitMs });
    noteFaults(this.#client, this.#faults);
    this.#names = names;
    this.#settings = { indexMode, shards };
    this.#readOnly = readOnly;
    this.#reader = new ElasticsearchReader(this.#client, names, queryLimitMs, pageBytes);
    this.#bulk = { ...defaultBulk, ...bulk };
    this.#writer = new BulkWriter(this.#client, this.#bulk, this.#faults);
    this.#marks = new ElasticsearchMarks(this.#client, names);
  }

  /** Throws EngineAccessError when Elasticsearch refuses this client; returns also when it is away. */
  checkAccess(): Promise<void> {
    return checkAccess(this.#client, this.#url, this.#credentials);
  }

  async index(events: readonly PlacedEvent[]): Promise<Refused<PlacedEvent>[]> {
    await this.#prepareWriting();
    return this.#writer.write(firstOfEachId(events), (event) =>
      createEvent(eventIndex(this.#names, event), event),
    );
  }

  async indexCorrelations(documents: readonly Correlation[]): Promise<Refused<Correlation>[]> {
    await this.#prepareWriting();
    return this.#writer.write(documents, (document) => putCorrelation(this.#names.correlations, document));
  }

  search(query: SearchQuery): Promise<SearchPage> {
    return this.#reader.search(query);
  }

  histogram(query: HistogramQuery): Promise<Histogram> {
    return this.#reader.histogram(query);
  }

  topValues(query: TopValuesQuery): Promise<TopValues> {
    return this.#reader.topValues(query);
  }

  aggregate(query: AggregateQuery): Promise<Aggregate> {
    return this.#reader.aggregate(query);
  }

  scan(query: ScanQuery): Promise<ScanPage<FoundEvent>> {
    return this.#reader.scan(query);
  }

  fields(): Promise<string[]> {
    return this.#reader.fields();
  }

  event(id: string): Promise<FoundEvent | undefined> {
    return this.#reader.event(id);
  }

  correlations(query: CorrelationsQuery): Promise<CorrelationsPage> {
    return this.#reader.correlations(query);
  }

  correlation(id: string): Promise<Correlation | undefined> {
    return this.#reader.correlation(id);
  }

  correlationsById(correlationId: string): Promise<Correlation[]> {
    return this.#reader.correlationsById(correlationId);
  }

  correlationsByIds(ids: readonly string[], limit: number): Promise<Correlation[]> {
    return this.#reader.correlationsByIds(ids, limit);
  }

  shapeDurations(query: ShapeDurationsQuery): Promise<ShapeDuration[]> {
    return this.#reader.shapeDurations(query);
  }

  groupRequests(query: GroupRequestsQuery): Promise<RequestGroupsResult<Correlation>> {
    return this.#reader.groupRequests(query);
  }

  counts(): Promise<{ events: number; correlations: number }> {
    return this.#reader.counts();
  }

  filled(epoch: string): Promise<FillMark[]> {
    return this.#marks.filled(epoch);
  }

  markFilled(epoch: string, moves: readonly FillMove[]): Promise<boolean> {
    return this.#marks.markFilled(epoch, moves);
  }

  removedBefore(): Promise<number> {
    return this.#marks.removedBefore();
  }

  missingEvents(events: readonly PlacedEvent[]): Promise<PlacedEvent[]> {
    return missingEvents(this.#client, this.#names, events);
  }

  missingCorrelations(documents: readonly Correlation[]): Promise<Correlation[]> {
    return missingCorrelations(this.#client, this.#names, documents);
  }

  async deleteBefore(micros: number): Promise<number> {
    await this.#prepareWriting();
    try {
      // Written first: after a crash, nobody expects the half-removed events to be there.
      await this.#marks.noteRemoved(micros);
      const events = await deleteEventsBefore(this.#client, this.#writer, this.#names, micros);
      await deleteCorrelationsBefore(this.#client, this.#writer, this.#names, micros);
      return events;
    } catch (error) {
      throw asStoreError(error);
    }
  }

  async rebuild(): Promise<SearchRebuild> {
    await this.#prepareWriting();
    return ElasticsearchRebuild.begin({
      client: this.#client,
      names: this.#names,
      settings: this.#settings,
      bulk: this.#bulk,
    });
  }

  problem(): string | undefined {
    const { current } = this.#faults;
    return current === undefined ? undefined : `Elasticsearch (ELASTICSEARCH_URL): ${current}`;
  }

  async close(): Promise<void> {
    this.#writer.close();
    await this.#client.close();
    this.#credentials[Symbol.dispose]();
  }

  /** The first document creates an index, so the templates have to exist before it. */
  async #prepareWriting(): Promise<void> {
    if (this.#readOnly) throw new TypeError('this search store was opened for reading only');
    this.#templates ??= putTemplates(this.#client, this.#names, this.#settings);
    try {
      await this.#templates;
    } catch (error) {
      this.#templates = undefined;
      throw asStoreError(error);
    }
  }
}
