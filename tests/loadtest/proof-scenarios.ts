import { judgeRun, runScenario, type RunResult } from '@logloom/loadtest';
import { readScenario } from '../../apps/loadtest/src/scenario/read-scenario.ts';
import type { PatchedServer } from './patched-server.ts';

/** Some 60,000 deliveries in seven seconds. All viewers watch before the first event is due. */
export const steadyViewers = `
name: steady-viewers
viewers:
  stages: [{ to: 60, for: 1s }, { for: 7s }]
  mix: [{ watch: all }, { watch: service, weight: 3 }, { watch: errors }]
events:
  services: 4
  errorShare: 0.1
  stages: [{ to: 0, for: 2s }, { to: 500, for: 6s, shape: steps, count: 1 }]
`;

const atOnce = (seconds: number): string => `
name: two-at-once
viewers:
  stages: [{ to: 60, for: 1s }, { for: ${seconds + 1}s }]
  mix: [{ watch: all }, { watch: service, weight: 3 }, { watch: errors }]
events:
  services: 4
  errorShare: 0.1
  stages: [{ to: 0, for: 2s }, { to: 300, for: ${seconds}s, shape: steps, count: 1 }]
`;

/** A load of which two cores carry two at the same time, with their generators. */
export const duet = atOnce(12);
export const duetWarmUp = atOnce(5);

/** Some viewers stop reading before the first event, and miss more than Linux keeps for them: the server has to leave something out. */
export const slowReaders = `
name: slow-readers
viewers:
  stages: [{ to: 8, for: 1s }, { for: 9s }]
  mix: [{ watch: all }, { watch: all, stall: { every: 500ms, for: 9s } }]
events:
  services: 4
  messageBytes: 10000
  stages: [{ to: 0, for: 2s }, { to: 500, for: 7s, shape: steps, count: 1 }, { to: 20, for: 1s, shape: steps, count: 1 }]
`;

/** All that may go wrong without a fault of the server's: slow readers, viewers that come back, a cut. */
export const everything = `
name: everything
viewers:
  stages: [{ to: 60, for: 1s }, { for: 8s }]
  mix: [{ watch: all }, { watch: service, weight: 3 }, { watch: errors }, { watch: all, stall: { every: 500ms, for: 6s } }]
  churn: { share: 0.1, every: 1s }
events:
  services: 4
  errorShare: 0.1
  messageBytes: 6000
  stages: [{ to: 300, for: 1s }, { for: 6s }, { to: 20, for: 2s, shape: steps, count: 1 }]
faults: [{ kind: cut, at: 5s, share: 0.5 }]
`;

/** Up to 400 connections a second: what each leaves behind in memory is measured. */
export const comingAndGoing = `
name: coming-and-going
viewers:
  stages: [{ to: 400, for: 3s }, { for: 157s }]
  churn: { share: 0.2, every: 200ms }
events:
  stages: [{ to: 10, for: 160s, shape: steps, count: 1 }]
objectives: [{ metric: lost, atMost: 0 }, { metric: memory-growth-per-connection-bytes, atMost: 256 }]
`;

export async function runOn(server: PatchedServer, scenarioText: string): Promise<RunResult> {
  const scenario = readScenario(scenarioText, 'proof');
  const { url, ingestUrl } = server;
  const options = { url, ingestUrl, token: undefined, ingestKey: undefined, quietMs: 3_000 };
  return judgeRun(await runScenario(scenario, options, new AbortController().signal), scenario);
}
