/** Records one after another that were appended at one time. */
export interface Run {
  count: number;
  /** ms since 1970. */
  timestampMs: number;
}

const countBytes = 4;
const timeBytes = 8;
const runBytes = countBytes + timeBytes;

/** The number of runs, then each as its count (32 bits) and its time (a double), little-endian. */
export function writeRuns(runs: readonly Run[]): Buffer {
  const bytes = Buffer.alloc(countBytes + runs.length * runBytes);
  bytes.writeUInt32LE(runs.length);
  runs.forEach(({ count, timestampMs }, i) => {
    bytes.writeUInt32LE(count, countBytes + i * runBytes);
    bytes.writeDoubleLE(timestampMs, 2 * countBytes + i * runBytes);
  });
  return bytes;
}

/** What writeRuns() wrote, and where it ends. Throws RangeError where the bytes end before. */
export function readRuns(bytes: Buffer): { runs: Run[]; end: number } {
  const length = bytes.readUInt32LE(0);
  const end = countBytes + length * runBytes;
  if (end > bytes.length) throw new RangeError(`${length} runs do not fit into ${bytes.length} bytes`);
  const runs = Array.from({ length }, (_, i): Run => {
    const at = countBytes + i * runBytes;
    return { count: bytes.readUInt32LE(at), timestampMs: bytes.readDoubleLE(at + countBytes) };
  });
  return { runs, end };
}

/** The runs without the first `skipped` records. */
export function runsFrom(runs: readonly Run[], skipped: number): Run[] {
  const left: Run[] = [];
  for (const { count, timestampMs } of runs) {
    const taken = Math.min(skipped, count);
    skipped -= taken;
    if (count > taken) left.push({ count: count - taken, timestampMs });
  }
  return left;
}

/** Runs one after another, with those of one time as one. */
export function joinRuns(all: readonly (readonly Run[])[]): Run[] {
  const joined: Run[] = [];
  for (const { count, timestampMs } of all.flat()) {
    const last = joined.at(-1);
    if (last?.timestampMs === timestampMs) last.count += count;
    else joined.push({ count, timestampMs });
  }
  return joined;
}
