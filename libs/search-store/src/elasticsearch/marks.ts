import { errors, type Client } from '@elastic/elasticsearch';
import type { FillMark, FillMove } from '@logloom/schemas';
import { asStoreError } from './errors.ts';
import type { IndexNames } from './indices.ts';

interface Marks {
  /** By `topic/partition`. */
  places: Record<string, { epoch: string; offset: number }>;
  removedBefore?: number;
}

interface Read {
  marks: Marks | undefined;
  version: { if_seq_no: number; if_primary_term: number } | { op_type: 'create' };
}

const documentId = 'marks';
/** Another indexer may write between our read and our write; each attempt lets one of them succeed. */
const maxTries = 50;

/**
 * The marks of LogView, one document in a separate index, whose name matches the store's, so that deleting the store's indices deletes it
 * too.
 */
export class ElasticsearchMarks {
  readonly #client: Client;
  readonly #index: string;

  constructor(client: Client, { correlations }: IndexNames) {
    this.#client = client;
    this.#index = `${correlations}-marks`;
  }

  async filled(epoch: string): Promise<FillMark[]> {
    const { marks } = await this.#read();
    return Object.entries(marks?.places ?? {})
      .filter(([, mark]) => mark.epoch === epoch)
      .map(([place, { offset }]) => {
        const slash = place.lastIndexOf('/');
        return { topic: place.slice(0, slash), partition: Number(place.slice(slash + 1)), offset };
      });
  }

  async markFilled(epoch: string, moves: readonly FillMove[]): Promise<boolean> {
    return this.#change((known = { places: {} }) => {
      const places = { ...known.places };
      for (const { topic, partition, from, offset } of moves) {
        const place = `${topic}/${partition}`;
        const before = places[place]?.epoch === epoch ? places[place].offset : 0;
        if (before < from) return undefined;
        places[place] = { epoch, offset: Math.max(before, offset) };
      }
      return { ...known, places };
    });
  }

  async removedBefore(): Promise<number> {
    return (await this.#read()).marks?.removedBefore ?? -Infinity;
  }

  async noteRemoved(micros: number): Promise<void> {
    await this.#change((known = { places: {} }) => ({
      ...known,
      removedBefore: Math.max(micros, known.removedBefore ?? -Infinity),
    }));
  }

  /** Writes the marks that `change` returns; returns false if it returns none. */
  async #change(change: (marks: Marks | undefined) => Marks | undefined): Promise<boolean> {
    for (let tries = 1; ; tries++) {
      const { marks, version } = await this.#read();
      const document = change(marks);
      if (document === undefined) return false;
      try {
        await this.#client.index({ index: this.#index, id: documentId, document, ...version });
        return true;
      } catch (error) {
        const isConflict = error instanceof errors.ResponseError && error.statusCode === 409;
        if (!isConflict || tries === maxTries) throw asStoreError(error);
      }
    }
  }

  async #read(): Promise<Read> {
    try {
      const found = await this.#client.get<Marks>({ index: this.#index, id: documentId });
      return {
        marks: found._source,
        version: { if_seq_no: found._seq_no!, if_primary_term: found._primary_term! },
      };
    } catch (error) {
      if (error instanceof errors.ResponseError && error.statusCode === 404)
        return { marks: undefined, version: { op_type: 'create' } };
      throw asStoreError(error);
    }
  }
}
