import type { DeployContext } from '../deploy-context.ts';
import { label, type Instance } from '../deployment.ts';
import { smokeTest, type SmokeResult, type SmokeTarget } from './smoke-test.ts';

/** How many runs may be needed until each instance has got an event: one that has just joined its group may have no partition yet. */
const maxRuns = 10;

/**
 * Sends marked events through a target until each of `next` has handled some itself: its counters tell it from instances of `old`, which
 * share its work. Returns a description of the runs. Throws with what failed, when that takes longer than `smokeSeconds`.
 */
export async function prove(
  { deployment, instances, signal: interrupted }: DeployContext,
  next: readonly Instance[],
  old: readonly Instance[],
  target: SmokeTarget,
): Promise<string> {
  const signal = AbortSignal.any([interrupted, AbortSignal.timeout(deployment.smokeSeconds * 1000)]);
  const counts = (): Promise<number[]> =>
    Promise.all(next.map((instance) => instances.handledEvents(instance, signal)));
  const before = await counts();
  const runs: SmokeResult[] = [];
  for (;;) {
    const result = await smokeTest(target, signal);
    runs.push(result);
    const now = await counts();
    const idle = next.filter(
      (instance, i) => now[i]! <= before[i]! && hasWork(instance, [...next, ...old], result.partitions),
    );
    if (idle.length === 0) return runs.map(told).join('\n');
    if (runs.length === maxRuns)
      throw new Error(`${idle.map(label).join(', ')} handled no event in ${maxRuns} smoke tests`);
  }
}

/** Readers of a group share its partitions: where there are more readers than those, some have none. */
function hasWork({ service }: Instance, all: readonly Instance[], partitions: number): boolean {
  const isReader = service === 'correlator' || service === 'indexer';
  return !isReader || all.filter((instance) => instance.service === service).length <= partitions;
}

function told({ run, events, requests, partitions }: SmokeResult): string {
  return `run ${run}: ${events} events, ${requests} requests, ${partitions} partitions: each found once`;
}
