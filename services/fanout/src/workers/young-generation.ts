import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/**
 * Stops V8 from enlarging the young generation of this process; call it once at the start, and not where other work shares the process: the
 * flag holds for all its threads. By default the young generation grows with the heap to 128 MB and fills with the garbage of each write: 6
 * KB more per connection at 10,000, as much as all live data (bench/live-latency.ts). The garbage of a pass over the viewers is dead at its
 * end, so a small young generation costs no more time.
 *
 * The public switch, --max-semi-space-size, can only be passed to the command that starts the process.
 */
export function keepYoungGenerationSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}

/** Bytes that V8 has set aside for the young generation of this thread. */
export function youngGenerationBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')!.space_size;
}
