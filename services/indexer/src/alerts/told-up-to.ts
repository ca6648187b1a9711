import { maxMetadataBytes } from '@logloom/event-log';

/** How far changes of alerts were handed on: per partition of logs.alerts the next offset, and the time in ms since 1970. */
export interface ToldUpTo {
  offsets: readonly number[];
  atMs: number;
}

/** As the metadata of a commit; empty where there are too many partitions for one. */
export function formatToldUpTo({ offsets, atMs }: ToldUpTo): string {
  const text = JSON.stringify({ told: offsets.map((offset) => offset.toString(36)).join('.'), at: atMs });
  return Buffer.byteLength(text) > maxMetadataBytes ? '' : text;
}

/** Undefined if the metadata does not say it. */
export function parseToldUpTo(metadata: string | undefined): ToldUpTo | undefined {
  if (metadata?.startsWith('{') !== true) return undefined;
  const { told, at } = JSON.parse(metadata) as { told?: string; at?: number };
  if (told === undefined || at === undefined) return undefined;
  return { offsets: told.split('.').map((offset) => parseInt(offset, 36)), atMs: at };
}
