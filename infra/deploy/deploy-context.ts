import type { Deployment, Instance, ReleaseName } from './deployment.ts';
import type { Instances } from './instances.ts';
import type { ProxyFile } from './proxy-file/proxy-file.ts';
import type { SmokeTarget } from './smoke/smoke-test.ts';
import type { StepReport } from './step-report.ts';

/** What the deploys work with. */
export interface DeployContext {
  deployment: Deployment;
  instances: Instances;
  proxy: ProxyFile;
  report: StepReport;
  /** Keys and tokens for a Logloom that asks for them. */
  key: string | undefined;
  token: string | undefined;
  /**
   * Proves that each of `next` works when events are sent through the target, and describes how; `old` are instances beside them. Throws
   * with what failed.
   */
  prove: (
    context: DeployContext,
    next: readonly Instance[],
    old: readonly Instance[],
    target: SmokeTarget,
  ) => Promise<string>;
  /** Aborts when the operator interrupts the deploy: before the new release is verified, that rolls it back. */
  signal: AbortSignal;
}

export function instancesOf({ instances }: Deployment, release: ReleaseName): Instance[] {
  return instances.filter((instance) => instance.release === release);
}

export function otherRelease(release: ReleaseName): ReleaseName {
  return release === 'blue' ? 'green' : 'blue';
}

/** A release by its own addresses, without the proxy. */
export function directTarget({ key, token }: DeployContext, instances: readonly Instance[]): SmokeTarget {
  const urlOf = (service: string): string => instances.find((instance) => instance.service === service)!.url!;
  return { ingestUrl: urlOf('ingest'), apiUrl: urlOf('indexer'), liveUrl: urlOf('fanout'), key, token };
}

/** Whatever the proxy leads to. */
export function publicTarget({ deployment, key, token }: DeployContext): SmokeTarget {
  const { ingestUrl, viewersUrl } = deployment.public;
  return { ingestUrl, apiUrl: viewersUrl, liveUrl: viewersUrl, key, token };
}

export async function upOf({ instances }: DeployContext, all: readonly Instance[]): Promise<Instance[]> {
  const up = await Promise.all(all.map((instance) => instances.isUp(instance)));
  return all.filter((_, i) => up[i]);
}
