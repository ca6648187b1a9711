import { label, type Instance, type ReleaseName } from '../deployment.ts';
import {
  directTarget,
  instancesOf,
  otherRelease,
  publicTarget,
  upOf,
  type DeployContext,
} from '../deploy-context.ts';
import { RefusedError, type Outcome } from '../outcome.ts';
import { isRouted, routesTo, type Routes } from '../proxy-file/routes.ts';
import { forEachInstance, retire } from '../retire.ts';

/**
 * Starts all of a release beside the other one, proves that it works, switches the proxy to it, proves that again through the proxy, and
 * then drains and stops the other one. Until that last step whatever fails, the operator's interruption too, leads back: the proxy to
 * the old release, which has served all along, and the new one is stopped. Throws RefusedError when it cannot begin.
 */
export async function blueGreen(context: DeployContext, to?: ReleaseName): Promise<Outcome> {
  const { deployment, proxy, report } = context;
  const before = proxy.routes;
  const up = await upOf(context, deployment.instances);
  const target = to ?? nextRelease(up.filter((instance) => isRouted(instance, before)));
  const [next, current] = [instancesOf(deployment, target), instancesOf(deployment, otherRelease(target))];
  const old = current.filter((instance) => up.includes(instance));
  const leftOver = next.filter((instance) => up.includes(instance));
  const inUse = leftOver.filter((instance) => isRouted(instance, before));
  if (inUse.length > 0 && old.length > 0)
    throw new RefusedError(
      `the proxy sends to ${inUse.map(label).join(', ')} already: a rolling deploy to ${target} finishes what has begun`,
    );
  if (inUse.length > 0) throw new RefusedError(`${target} serves already: ${inUse.map(label).join(', ')}`);
  report.note(
    `blue-green deploy to ${target}, from ${old.length === 0 ? 'nothing' : old.map(label).join(', ')}`,
  );

  let isSwitched = false;
  try {
    if (leftOver.length > 0)
      await report.step(`stop what an earlier deploy left: ${leftOver.map(label).join(', ')}`, () =>
        forEachInstance(leftOver, (instance) => context.instances.stop(instance)),
      );
    await report.step(`start ${next.map(label).join(', ')}`, () =>
      forEachInstance(next, (instance) => context.instances.start(instance)),
    );
    await report.step(`wait until ${target} is ready`, () =>
      forEachInstance(next, (instance) => context.instances.untilReady(instance, context.signal)),
    );
    await report.step(`smoke test of ${target}`, () =>
      context.prove(context, next, old, directTarget(context, next)),
    );
    context.signal.throwIfAborted();
    await report.step(`switch the proxy to ${target}`, async () => {
      // Whatever this leaves behind, the way back writes the routes again.
      isSwitched = true;
      await proxy.switchTo(routesTo(next));
    });
    await report.step(`verify ${target} through the proxy`, () =>
      context.prove(context, next, old, publicTarget(context)),
    );
    context.signal.throwIfAborted();
  } catch {
    return rollBack(context, next, isSwitched ? before : undefined);
  }
  const { undrained, unstopped } = await retire(context, old, { hadViewers: true });
  return undrained.length + unstopped.length === 0 ? 'deployed' : 'unfinished';
}

async function rollBack(
  context: DeployContext,
  next: readonly Instance[],
  routes: Routes | undefined,
): Promise<Outcome> {
  const { proxy, report } = context;
  report.note('it did not work: rolling back');
  if (routes !== undefined) {
    const isBack = await report
      .step('switch the proxy back', () => proxy.switchTo(routes))
      .then(
        () => true,
        () => false,
      );
    // The proxy still sends to the new release, which is better than nothing.
    if (!isBack) return 'rollback-failed';
  }
  const { unstopped } = await retire(context, next, { hadViewers: routes !== undefined });
  // A broken release may end with an exit code that its stop reports, but it has ended.
  return (await upOf(context, unstopped)).length === 0 ? 'rolled-back' : 'rollback-failed';
}

/** The release that the proxy does not send to. */
function nextRelease(serving: readonly Instance[]): ReleaseName {
  const releases = new Set(serving.map(({ release }) => release));
  if (releases.size === 2)
    throw new RefusedError('both releases serve: a rolling deploy with --to finishes what has begun');
  return releases.has('blue') ? 'green' : 'blue';
}
