import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const repository = join(import.meta.dirname, '../../..');
const wholeFile = join(repository, '../shared/data/nezha-2023-01-30.ndjson.xz');
const sampleFile = join(repository, 'tests/data/nezha/sample.ndjson');

/** Whether the recording of a whole day lies beside the repository. */
export const hasWholeRecording = existsSync(wholeFile);

/**
 * The first lines, NDJSON, of a real system's recorded logs: of the whole day where it lies beside the repository, otherwise of the
 * sample in tests/data, which has some hundred lines of whole requests. Each has timestamp, service, host, level, message, traceId and spanId.
 */
export function recordedLines(most = Infinity): string[] {
  const text = hasWholeRecording
    ? execFileSync('xz', ['-dc', wholeFile], { maxBuffer: 2 ** 30, encoding: 'utf8' })
    : readFileSync(sampleFile, 'utf8');
  return text.trimEnd().split('\n', Math.min(most, 2 ** 32 - 1));
}
