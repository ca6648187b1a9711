import type { EventsPlan } from '../scenario/scenario.ts';
import { readRecording } from './recording.ts';
import { Traffic } from './traffic.ts';

/** The events of a run. Throws LoadtestError `bad-scenario` for a recording that cannot be read. */
export function openTraffic(
  run: string,
  { traffic, replay }: Pick<EventsPlan, 'traffic' | 'replay'>,
): Traffic {
  return new Traffic(run, traffic, replay === undefined ? undefined : readRecording(replay.file));
}
