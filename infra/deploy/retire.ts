import { label, type Instance } from './deployment.ts';
import type { DeployContext } from './deploy-context.ts';
import { drainViewers } from './drain-viewers.ts';

export interface Retired {
  /** Those that did not send their viewers away: their stop does. */
  undrained: Instance[];
  unstopped: Instance[];
}

/**
 * Sends the viewers of the fan-outs among them away and waits for that, then stops all of them, whether they run or not. Goes on whatever
 * fails. Without `hadViewers` there are none: the proxy never sent any there.
 */
export async function retire(
  context: DeployContext,
  all: readonly Instance[],
  { hadViewers }: { hadViewers: boolean },
): Promise<Retired> {
  const { instances, report } = context;
  const failing = async (
    of: readonly Instance[],
    verb: string,
    work: (instance: Instance) => Promise<string | void>,
  ): Promise<Instance[]> => {
    const failed: Instance[] = [];
    await Promise.all(
      of.map((instance) =>
        report.step(`${verb} ${label(instance)}`, () => work(instance)).catch(() => failed.push(instance)),
      ),
    );
    return failed;
  };
  const fanouts = all.filter(({ service }) => hadViewers && service === 'fanout');
  const undrained = await failing(fanouts, 'drain', (fanout) => drain(context, fanout));
  const unstopped = await failing(all, 'stop', (instance) => instances.stop(instance));
  return { undrained, unstopped };
}

async function drain({ deployment, token }: DeployContext, fanout: Instance): Promise<string> {
  const { before, left } = await drainViewers(fanout.url!, token, deployment.drainSeconds);
  // Those are disconnected when it is stopped, and come back like the others.
  return `${before} viewers, ${left} left`;
}

/** Does the same to all at once. Throws with what failed, when all have ended. */
export async function forEachInstance(
  all: readonly Instance[],
  work: (instance: Instance) => Promise<void>,
): Promise<void> {
  const results = await Promise.allSettled(all.map(work));
  const failures = results.flatMap((result) =>
    result.status === 'rejected' ? [(result.reason as Error).message] : [],
  );
  if (failures.length > 0) throw new Error(failures.join('\n'));
}
