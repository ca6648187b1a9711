import { packJoined, packJoinedNow, unpack } from './batch-format.ts';
import { joinRuns, runsFrom, writeRuns } from './batch-runs.ts';
import { skipRecords, unpackBatch, type RecordBatch } from './record-batch.ts';

/**
 * One batch of the records of several, which follow each other without a gap; each keeps its offset and append time. It is read back before
 * it is returned, as it takes the place of the others.
 */
export async function joinBatches(batches: readonly RecordBatch[]): Promise<RecordBatch> {
  const parts = batches.map(unpackBatch);
  const runs = joinRuns(parts.map((part) => part.runs));
  const bytes = Buffer.concat([writeRuns(runs), ...parts.map((part) => part.bytes)]);
  const packed = await packJoined(bytes);
  if (!unpack(packed).equals(bytes)) throw new Error('a joined batch is not what was joined');
  const { offset, timestampMs } = batches[0]!;
  return { offset, count: batches.reduce((sum, { count }) => sum + count, 0), timestampMs, ...packed };
}

/** The batch without its records before `fromOffset`, which is one of its offsets. */
export function cutBatch(batch: RecordBatch, fromOffset: number): RecordBatch {
  const { offset, count, bytes, runs } = unpackBatch(batch);
  const skipped = fromOffset - offset;
  const left = runsFrom(runs, skipped);
  return {
    offset: fromOffset,
    count: count - skipped,
    timestampMs: left[0]!.timestampMs,
    ...packJoinedNow(Buffer.concat([writeRuns(left), bytes.subarray(skipRecords(bytes, skipped))])),
  };
}
