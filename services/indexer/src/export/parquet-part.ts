import { formatMicros } from '@logloom/schemas';
import type { FoundEvent } from '@logloom/search-store';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { startScan, type ScanPagesOptions } from './scan-pages.ts';

export interface ParquetPart {
  /** The file; it is removed when this is closed. */
  body: Readable;
  snapshot: string;
  /** Where the next part begins, `timestamp,partition,offset`; undefined: this is the last. */
  after: string | undefined;
}

/** Makes one file of the events from the start of the scan on, at most its limit. It runs in the turn of its request. */
export async function parquetPart(options: Omit<ScanPagesOptions, 'admit'>): Promise<ParquetPart> {
  // DuckDB is loaded only here.
  const { writeParquet } = await import('./write-parquet.ts');
  const folder = await mkdtemp(join(tmpdir(), 'logloom-export-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const { snapshot, pages, end } = await startScan({ ...options, admit: (read) => read() });
    let last: FoundEvent | undefined;
    const seen = (async function* () {
      for await (const page of pages) {
        last = page.at(-1);
        yield page;
      }
    })();
    const file = await writeParquet(seen, folder);
    const body = createReadStream(file);
    body.once('close', () => void remove());
    const place = last && [formatMicros(last.timestamp), last.partition, last.offset].join();
    return { body, snapshot, after: end.isLast ? undefined : place };
  } catch (error) {
    await remove();
    throw error;
  }
}
