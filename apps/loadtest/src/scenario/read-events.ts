import { resolve } from 'node:path';
import type { ReceiverKind } from '../target/receiver.ts';
import { readRecording } from '../traffic/recording.ts';
import type { Problem } from './problem.ts';
import { stagesOf, type StageFile } from './read-stages.ts';
import type { EventsPlan, Stage } from './scenario.ts';
import { defaultTraffic, type TrafficProfile } from './traffic-profile.ts';

/** The events of a scenario as a file says them; events.schema.json is its shape. */
export interface EventsFile extends Partial<Omit<TrafficProfile, 'messageBytes'>> {
  stages?: StageFile[];
  messageBytes?: number | { weight?: number; bytes: number }[];
  replay?: string | ReplayFile;
  receiver?: ReceiverKind | ReceiverKind[];
}

interface ReplayFile {
  file: string;
  speed?: number;
  times?: number;
}

const profileMembers = [
  'services',
  'serviceSkew',
  'errorShare',
  'eventsPerRequest',
  'concurrentRequests',
  'messageBytes',
] as const;

/** The recording's own times are kept to this. */
const stepSeconds = 0.1;
const mostSteps = 100_000;

/** Throws LoadtestError `bad-scenario` for a recording that cannot be read; its file is looked for in `folder`. */
export function readEvents(
  { stages = [], messageBytes, replay, receiver, ...profile }: EventsFile,
  folder: string,
): EventsPlan {
  const {
    file,
    speed,
    times = 1,
  } = typeof replay === 'string' ? { file: replay } : (replay ?? ({} as ReplayFile));
  const path = file === undefined ? undefined : resolve(folder, file);
  return {
    stages:
      path === undefined || speed === undefined ? stagesOf(stages) : [recordedStage(path, speed, times)],
    traffic: {
      ...defaultTraffic,
      ...profile,
      ...(messageBytes === undefined ? {} : { messageBytes: sizesOf(messageBytes) }),
    },
    ...(path === undefined ? {} : { replay: { file: path, ...(speed === undefined ? {} : { speed }) } }),
    ...(receiver === undefined ? {} : { receivers: [receiver].flat() }),
  };
}

function sizesOf(sizes: NonNullable<EventsFile['messageBytes']>): TrafficProfile['messageBytes'] {
  return typeof sizes === 'number' ? sizes : sizes.map(({ weight = 1, bytes }) => ({ weight, bytes }));
}

/** What the schema cannot say. */
export function eventsProblems(events: EventsFile): Problem[] {
  const { stages, replay } = events;
  const hasSpeed = typeof replay === 'object' && replay.speed !== undefined;
  const problems: Problem[] = [];
  if (stages === undefined && !hasSpeed)
    problems.push({ at: ['events'], text: 'needs stages, or a replay with a speed' });
  if (stages !== undefined && hasSpeed)
    problems.push({ at: ['events', 'replay', 'speed'], text: 'is given, so that there can be no stages' });
  if (typeof replay === 'object' && replay.times !== undefined && !hasSpeed)
    problems.push({ at: ['events', 'replay', 'times'], text: 'needs a speed' });
  if (replay === undefined) return problems;
  const others = profileMembers.filter((name) => events[name] !== undefined);
  return [
    ...problems,
    ...others.map((name) => ({ at: ['events', name], text: 'is what the recording says' })),
  ];
}

/** As many events in each step as were recorded in that time. */
function recordedStage(file: string, speed: number, times: number): Stage {
  const { timesMs, length } = readRecording(file);
  // The first line of the next round comes as long after the last one as lines come on average.
  const roundS = ((timesMs.at(-1)! / 1_000) * (length / Math.max(1, length - 1))) / speed || 1;
  const steps = Math.min(mostSteps, Math.ceil(roundS / stepSeconds));
  const counts = Array.from({ length: steps }, () => 0);
  for (const ms of timesMs) counts[Math.min(steps - 1, Math.floor((ms / 1_000 / speed / roundS) * steps))]!++;
  const rates = counts.map((count) => (count * steps) / roundS);
  return {
    name: 'recorded lines',
    shape: 'recorded',
    seconds: roundS * times,
    to: Math.max(...rates),
    rates: Array.from({ length: times }, () => rates).flat(),
  };
}
