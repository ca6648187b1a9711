import { label, serviceNames, type Instance, type ReleaseName } from '../deployment.ts';
import { instancesOf, otherRelease, publicTarget, upOf, type DeployContext } from '../deploy-context.ts';
import { RefusedError, type Outcome } from '../outcome.ts';
import { isRouted, routesTo } from '../proxy-file/routes.ts';
import { retire } from '../retire.ts';

/** An instance and the one of the other release whose place it takes; releases may have different numbers of them. */
interface Replacement {
  fresh: Instance | undefined;
  old: Instance | undefined;
}

/**
 * Replaces one instance after the other by one of the other release: starts the new one, waits until it is ready, sends the proxy there,
 * drains the old one and stops it. A new instance that does not become ready is stopped again, and the deploy ends there: the old one
 * serves on, beside those that are replaced. The same deploy again continues, and one to the other release goes back. Throws
 * RefusedError when it cannot begin.
 */
export async function rolling(context: DeployContext, to?: ReleaseName): Promise<Outcome> {
  const { deployment, proxy, report } = context;
  const up = await upOf(context, deployment.instances);
  const target = to ?? onlyOther(up);
  const source = otherRelease(target);
  if (!up.some(({ release }) => release === source))
    throw new RefusedError(`nothing of ${source} runs, so that nothing can be replaced: use blue-green`);
  const routes = proxy.routes;
  const serving = new Set(deployment.instances.filter((instance) => isRouted(instance, routes)));
  const next = instancesOf(deployment, target);
  report.note(`rolling deploy to ${target}`);
  let replaced = 0;
  let isWell = true;
  for (const { fresh, old } of replacements(next, instancesOf(deployment, source))) {
    try {
      context.signal.throwIfAborted();
      if (fresh !== undefined) await startFresh(context, fresh, up);
      await sendProxyTo(context, serving, { fresh, old });
    } catch (error) {
      report.note(`the deploy ends here: ${(error as Error).message}`);
      const { unstopped } = await retire(context, fresh === undefined ? [] : [fresh], {
        hadViewers: false,
      });
      if ((await upOf(context, unstopped)).length > 0) return 'rollback-failed';
      return replaced === 0 ? 'rolled-back' : 'unfinished';
    }
    replaced++;
    if (old === undefined || !up.includes(old)) continue;
    const { undrained, unstopped } = await retire(context, [old], { hadViewers: true });
    isWell &&= undrained.length + unstopped.length === 0;
  }
  try {
    await report.step(`verify ${target} through the proxy`, () =>
      context.prove(context, next, [], publicTarget(context)),
    );
  } catch {
    return 'unfinished';
  }
  return isWell ? 'deployed' : 'unfinished';
}

async function startFresh(
  { instances, report, signal }: DeployContext,
  fresh: Instance,
  up: readonly Instance[],
): Promise<void> {
  if (!up.includes(fresh)) await report.step(`start ${label(fresh)}`, () => instances.start(fresh));
  await report.step(`wait until ${label(fresh)} is ready`, () => instances.untilReady(fresh, signal));
}

/** Updates `serving`. */
async function sendProxyTo(
  { proxy, report }: DeployContext,
  serving: Set<Instance>,
  { fresh, old }: Replacement,
): Promise<void> {
  const { service } = (fresh ?? old)!;
  if (service === 'correlator') return;
  const then = new Set(serving);
  if (fresh !== undefined) then.add(fresh);
  if (old !== undefined) then.delete(old);
  const told = [...then].filter((instance) => instance.service === service).map(label);
  await report.step(`send the proxy to ${told.join(', ')}`, () => proxy.switchTo(routesTo([...then])));
  if (fresh !== undefined) serving.add(fresh);
  if (old !== undefined) serving.delete(old);
}

function replacements(next: readonly Instance[], current: readonly Instance[]): Replacement[] {
  return serviceNames.flatMap((service) => {
    const [fresh, old] = [next, current].map((all) => all.filter((one) => one.service === service)) as [
      Instance[],
      Instance[],
    ];
    return Array.from({ length: Math.max(fresh.length, old.length) }, (_, i) => ({
      fresh: fresh[i],
      old: old[i],
    }));
  });
}

function onlyOther(up: readonly Instance[]): ReleaseName {
  const releases = [...new Set(up.map(({ release }) => release))];
  if (releases.length === 2)
    throw new RefusedError('instances of both releases run: name the one to deploy with --to');
  if (releases.length === 0)
    throw new RefusedError('nothing runs, so that nothing can be replaced: use blue-green');
  return otherRelease(releases[0]!);
}
