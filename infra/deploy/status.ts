import type { DeployContext } from './deploy-context.ts';
import { isRouted } from './proxy-file/routes.ts';

/** Writes which instances run, and which the proxy sends to. */
export async function status(
  { deployment, instances, proxy }: DeployContext,
  write: (line: string) => void,
  asJson: boolean,
): Promise<void> {
  const { routes } = proxy;
  const all = await Promise.all(
    deployment.instances.map(async (instance) => ({
      release: instance.release,
      service: instance.service,
      name: instance.name,
      runs: await instances.isUp(instance),
      // Nobody connects to a correlator.
      routed: instance.url === undefined ? undefined : isRouted(instance, routes),
    })),
  );
  if (asJson) return write(JSON.stringify({ instances: all }));
  for (const { release, name, runs, routed } of all) {
    const words = [runs ? 'runs' : 'is down', ...(routed === true ? ['the proxy sends to it'] : [])];
    write(`${release.padEnd(6)} ${name.padEnd(14)} ${words.join(', ')}`);
  }
}
