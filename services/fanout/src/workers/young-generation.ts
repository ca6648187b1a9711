import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/**
 * Stops V8 from enlarging the young generation of this process; call it once at the start, and not where other work shares the
 * process: the flag holds for all its threads. Left alone, the young generation grows to 128 MB as the heap does, and all of it gets
 * filled with what each write leaves behind: 6 KB more a connection at 10,000, as much as all that lives (bench/live-latency.ts). What
 * a pass over the viewers leaves behind is dead at its end, so that a small one costs no more time.
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
