import type { EventLog } from '@logloom/event-log';
import type { EvaluatorSnapshot } from '@logloom/rules/windows';
import type { Serde } from '@logloom/schema-registry';
import { topics } from '@logloom/schemas';
import { deserialize, serialize } from 'node:v8';
import { promisify } from 'node:util';
import { zstdCompress, zstdDecompress } from 'node:zlib';
import { tryDecode } from '../try-decode.ts';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** Below the megabyte that Kafka accepts. */
const pieceBytes = 512 * 1024;

/** Which part of an input comes next: records before it are repetitions. */
export interface Expected {
  from: number;
  piece: number;
}

/** The state of a partition of logs.windows. */
export interface State {
  /** The epoch of logs.events that it is about. */
  epoch: string;
  evaluator: EvaluatorSnapshot;
  /** Per input, what comes next. */
  expected: Expected[];
}

/** Where a snapshot is: its first record, and how many there are, with so many bytes together. */
export interface SnapshotPlace {
  from: number;
  pieces: number;
  bytes: number;
}

/** Writes the state at a position; resolves with its place when it is durable. */
export async function writeSnapshot(
  log: EventLog,
  serde: Serde,
  partition: number,
  position: number,
  state: State,
): Promise<SnapshotPlace> {
  const data = await compress(serialize(state));
  const pieces = Math.max(1, Math.ceil(data.length / pieceBytes));
  const offsets = await log.append(
    topics.windows,
    Array.from({ length: pieces }, (_, piece) => ({
      partition,
      key: null,
      value: serde.encode('WindowSnapshot', {
        position,
        piece,
        pieces,
        data: data.subarray(piece * pieceBytes, (piece + 1) * pieceBytes),
      }),
    })),
  );
  return { from: offsets[0]!, pieces, bytes: data.length };
}

/** The state in a snapshot; undefined if a part of it is gone. */
export async function readSnapshot(
  log: EventLog,
  serde: Serde,
  partition: number,
  { from, pieces }: SnapshotPlace,
): Promise<State | undefined> {
  const data: Buffer[] = [];
  for (let next = from; data.length < pieces;) {
    const records = await log.read(topics.windows, partition, next, pieces);
    if (records.length === 0 || (records[0]!.offset !== from && data.length === 0)) return undefined;
    await serde.load(records.map(({ value }) => value));
    for (const record of records) {
      const decoded = tryDecode(serde, record.value);
      // Others write to the partition as well.
      if (decoded?.name !== 'WindowSnapshot') continue;
      if (decoded.value.piece !== data.length) return undefined;
      data.push(decoded.value.data);
      if (data.length === pieces) break;
    }
    next = records.at(-1)!.offset + 1;
  }
  try {
    return deserialize(await decompress(Buffer.concat(data))) as State;
  } catch {
    return undefined;
  }
}
