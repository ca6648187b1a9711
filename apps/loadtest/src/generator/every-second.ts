import { epochMs } from '../clock.ts';

/** Calls back at the end of each second of the run, with its number from 0. */
export function everySecond(startsAtMs: number, callback: (second: number) => void): void {
  let next = 0;
  const wait = (): void => {
    const now = epochMs();
    setTimeout(
      () => {
        callback(next++);
        wait();
      },
      Math.max(0, startsAtMs + (next + 1) * 1_000 - now),
    );
  };
  wait();
}
