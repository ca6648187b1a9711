import { setTimeout as sleep } from 'node:timers/promises';
import { epochMs } from '../clock.ts';
import { FaultProxy } from '../faults/proxy/fault-proxy.ts';
import { runScenario } from '../run/run-scenario.ts';
import { readScenario } from '../scenario/read-scenario.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { seeded } from '../verdict/seeded.ts';
import { actions, between } from './injection-actions.ts';
import type { KnownRun } from './known-run.ts';
import { LogloomProcess, type Program } from './logloom-process.ts';
import { RefusingProxy } from './refusing-proxy.ts';

const rampSeconds = 3;
const runSeconds = 36;

/** Runs a short scenario against a server of its own, with one known fault. The same seed draws the same load, time and dose. */
export async function runInjection(
  kind: string,
  seed: number,
  program: Program,
  signal: AbortSignal,
): Promise<KnownRun> {
  const { server: options, begin } = actions[kind]!;
  const random = seeded(seed);
  const scenario = scenarioOf(kind, random);
  await using server = await LogloomProcess.open(program, options?.(random));
  await using viewers = new FaultProxy({ host: '127.0.0.1', port: server.viewersPort }, random);
  const viewersPort = await viewers.listen();
  await using ingest = await RefusingProxy.open(server.ingestPort);
  const atS = between(random, 12, 17);
  const forS = between(random, 3, 7);
  let acting: Promise<void> | undefined;
  const ended = new AbortController();
  const act = async (startsAtMs: number, generatorPids: readonly number[]): Promise<void> => {
    await sleep(startsAtMs - epochMs() + atS * 1_000);
    const end = begin!({ server, viewers, ingest, generatorPids, random, signal: ended.signal });
    await sleep(forS * 1_000);
    ended.abort();
    await end?.();
  };
  const findings = await runScenario(
    scenario,
    {
      url: `http://127.0.0.1:${viewersPort}`,
      token: undefined,
      ingestUrl: ingest.url,
      ingestKey: undefined,
      metricsUrls: [server.metricsUrl],
      quietMs: 8_000,
      onStart: ({ startsAtMs, generatorPids }) => {
        if (begin !== undefined) acting = act(startsAtMs, generatorPids);
      },
    },
    signal,
  );
  await acting;
  return {
    injection: kind,
    seed,
    fault: begin === undefined ? null : { fromS: atS, toS: atS + forS },
    run: findings,
  };
}

function scenarioOf(name: string, random: () => number): Scenario {
  const [viewers, rate] = [Math.round(between(random, 20, 100)), Math.round(between(random, 15, 80))];
  const stages = (to: number): string =>
    `stages: [{ to: ${to}, for: ${rampSeconds}s }, { for: ${runSeconds - rampSeconds}s }]`;
  return readScenario(
    `
viewers: { ${stages(viewers)}, mix: [{ weight: 3, watch: service }, { watch: all }] }
events: { services: 5, ${stages(rate)} }
`,
    name,
  );
}
