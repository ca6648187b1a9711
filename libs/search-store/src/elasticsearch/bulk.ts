import { errors, type Client, type estypes } from '@elastic/elasticsearch';
import { setTimeout as sleep } from 'node:timers/promises';
import { SearchStoreError, type Refused } from '../search-store.ts';
import type { AccessFaults } from '@logloom/settings/connection';
import { refusal } from './access.ts';
import { asStoreError, isBusy } from './errors.ts';

export interface BulkSettings {
  /** The limits of a request, in bytes and in documents; it takes no further document beyond them. */
  maxBytes: number;
  maxDocuments: number;
  /** Requests at once. */
  inFlight: number;
  /** How often a request or its rest is sent before the write fails with `store-unavailable`. */
  attempts: number;
  /** The wait before the second attempt, ms; it doubles up to `maxBackoffMs`, and half of it is random. */
  backoffMs: number;
  maxBackoffMs: number;
  /** Makes writes visible at once, which costs far more than the write; otherwise it takes up to a second. */
  refresh: boolean;
  /** Writes only to indices that have an alias: a removed index is then missing, and is not created again. */
  requireAlias?: boolean;
}

interface Entry<Item> {
  item: Item;
  /** The action's line, and the document's if it has one. */
  lines: string;
}

/** Permissions are those of each index that a request writes to. */
const itemOperation = 'items of _bulk';

/** Errors that are the document's own fault; any other is transient, or the operator has to fix it. */
const documentErrors = new Set([
  'document_parsing_exception',
  'mapper_parsing_exception',
  'strict_dynamic_mapping_exception',
  'illegal_argument_exception',
]);

/** Writes documents in requests of bounded size, several at once, and resends those that the server had no room for. */
export class BulkWriter {
  readonly #client: Client;
  readonly #settings: BulkSettings;
  readonly #faults: AccessFaults | undefined;
  readonly #closing = new AbortController();

  /** `faults` gets what Elasticsearch refuses of a request that it takes. */
  constructor(client: Client, settings: BulkSettings, faults?: AccessFaults) {
    this.#client = client;
    this.#settings = settings;
    this.#faults = faults;
  }

  /**
   * Resolves when the server has acknowledged every item or refused it for good; returns the refused ones. 409 is an acknowledgement: the
   * document exists, in this version or a later one.
   */
  async write<Item>(items: readonly Item[], linesOf: (item: Item) => string): Promise<Refused<Item>[]> {
    const refused: Refused<Item>[] = [];
    let next = 0;
    let failure: { error: unknown } | undefined;
    const sendRest = async (): Promise<void> => {
      while (next < items.length && failure === undefined) {
        const entries: Entry<Item>[] = [];
        const { maxBytes, maxDocuments } = this.#settings;
        for (let bytes = 0; next < items.length && bytes < maxBytes && entries.length < maxDocuments;) {
          const item = items[next++]!;
          const lines = linesOf(item);
          bytes += Buffer.byteLength(lines);
          entries.push({ item, lines });
        }
        try {
          await this.#send(entries, refused);
        } catch (error) {
          failure ??= { error };
        }
      }
    };
    await Promise.all(Array.from({ length: this.#settings.inFlight }, sendRest));
    if (failure !== undefined) throw failure.error;
    return refused;
  }

  /** Ends the waiting between attempts. */
  close(): void {
    this.#closing.abort();
  }

  async #send<Item>(entries: Entry<Item>[], refused: Refused<Item>[]): Promise<void> {
    const { attempts, backoffMs, maxBackoffMs } = this.#settings;
    let rest = entries;
    for (let attempt = 1; ; attempt++) {
      let error: Error | undefined;
      try {
        ({ rest, error } = await this.#sendOnce(rest, refused));
      } catch (cause) {
        error = asStoreError(cause);
      }
      if (error === undefined) return;
      const isRetriable = error instanceof SearchStoreError && error.retriable;
      if (!isRetriable || attempt === attempts || this.#closing.signal.aborted) throw error;
      const wait = Math.min(backoffMs * 2 ** (attempt - 1), maxBackoffMs);
      await sleep(wait / 2 + (Math.random() * wait) / 2, undefined, { signal: this.#closing.signal }).catch(
        () => {},
      );
    }
  }

  /** Returns the items that have to be resent, with the reason. */
  async #sendOnce<Item>(
    entries: Entry<Item>[],
    refused: Refused<Item>[],
  ): Promise<{ rest: Entry<Item>[]; error?: SearchStoreError }> {
    let response: Pick<estypes.BulkResponse, 'errors' | 'items'>;
    try {
      response = await this.#client.bulk<string>({
        operations: [entries.map(({ lines }) => lines).join('\n')],
        refresh: this.#settings.refresh,
        ...(this.#settings.requireAlias === true ? { require_alias: true } : {}),
        filter_path: 'errors,items.*.status,items.*.error.type,items.*.error.reason',
      });
    } catch (error) {
      if (!(error instanceof errors.ResponseError) || error.statusCode !== 413) throw error;
      return this.#sendSmaller(entries, refused);
    }
    if (!response.errors) {
      this.#faults?.taken(itemOperation);
      return { rest: [] };
    }
    const rest: Entry<Item>[] = [];
    let error: SearchStoreError | undefined;
    for (const [i, result] of response.items.entries()) {
      const { status, error: fault } = Object.values(result)[0]!;
      if (status < 300 || status === 409 || fault === undefined || fault === null) continue;
      const reason = `${fault.type}: ${fault.reason ?? ''}`;
      if (!isBusy(status) && documentErrors.has(fault.type)) refused.push({ item: entries[i]!.item, reason });
      else {
        rest.push(entries[i]!);
        const denied = refusal(status, reason);
        if (denied !== undefined) this.#faults?.refused(denied, itemOperation);
        error ??= new SearchStoreError(
          'store-unavailable',
          denied === undefined
            ? `Elasticsearch answered ${status} ${reason}`
            : `Elasticsearch (ELASTICSEARCH_URL): ${denied}`,
        );
      }
    }
    return error === undefined ? { rest } : { rest, error };
  }

  /** A proxy or the server refuses a body of this size. */
  async #sendSmaller<Item>(
    entries: Entry<Item>[],
    refused: Refused<Item>[],
  ): Promise<{ rest: Entry<Item>[] }> {
    if (entries.length === 1) {
      refused.push({ item: entries[0]!.item, reason: 'larger than Elasticsearch accepts' });
    } else {
      const half = entries.length >> 1;
      await this.#send(entries.slice(0, half), refused);
      await this.#send(entries.slice(half), refused);
    }
    return { rest: [] };
  }
}
