import { parse } from 'yaml';
import { z } from 'zod';

/** The services in the order in which a rolling deploy replaces them: what reads a record before what writes it. */
export const serviceNames = ['fanout', 'indexer', 'correlator', 'ingest'] as const;
export type ServiceName = (typeof serviceNames)[number];
export const releaseNames = ['blue', 'green'] as const;
export type ReleaseName = (typeof releaseNames)[number];

const url = z.url({ protocol: /^https?$/ }).transform((text) => text.replace(/\/$/, ''));
const seconds = (byDefault: number) => z.number().positive().max(86_400).default(byDefault);

/** `url` is where the proxy finds it: the senders' port of ingest, the viewers' port of a fan-out. An indexer serves /api on its health port. */
const unrouted = z.strictObject({ name: z.string().optional(), healthUrl: url, metricsUrl: url.optional() });
const routed = unrouted.extend({ url });
const instancesOf = <T extends z.ZodType>(instance: T) =>
  z.union([instance.transform((one) => [one]), z.array(instance).min(1)]);
const release = z.strictObject({
  ingest: instancesOf(routed),
  correlator: instancesOf(unrouted),
  indexer: instancesOf(unrouted),
  fanout: instancesOf(routed),
});

const file = z.strictObject({
  /** Commands of a shell, which get RELEASE, SERVICE and INSTANCE as variables. `stop` returns when the instance has ended. */
  start: z.string().min(1),
  stop: z.string().min(1),
  proxy: z.union([
    z.strictObject({ nginx: z.strictObject({ file: z.string(), reload: z.string().min(1) }) }),
    z.strictObject({ traefik: z.strictObject({ file: z.string() }) }),
  ]),
  /** Where senders and viewers find the proxy. */
  public: z.strictObject({ ingestUrl: url, viewersUrl: url }),
  releases: z.strictObject({ blue: release, green: release }),
  readySeconds: seconds(120),
  smokeSeconds: seconds(90),
  /** From the proxy's reload, or the change of its file, until nothing goes to instances that are not in it any more. */
  settleSeconds: seconds(3),
  drainSeconds: seconds(30),
  stopSeconds: seconds(60),
});

/** One process of a service. */
export interface Instance {
  release: ReleaseName;
  service: ServiceName;
  name: string;
  healthUrl: string;
  metricsUrl: string;
  /** Undefined for a correlator, which nobody connects to. */
  url: string | undefined;
}

export interface Deployment extends Omit<z.infer<typeof file>, 'releases'> {
  instances: readonly Instance[];
}

/** What is wrong with the file, all of it. */
export class DeploymentError extends Error {}

/** Reads a deployment from YAML. Throws DeploymentError with every problem. */
export function parseDeployment(text: string): Deployment {
  let given: unknown;
  try {
    given = parse(text);
  } catch (error) {
    throw new DeploymentError((error as Error).message);
  }
  const { success, data, error } = file.safeParse(given);
  if (!success) throw new DeploymentError(z.prettifyError(error));
  const { releases, ...rest } = data;
  const instances = releaseNames.flatMap((of) =>
    serviceNames.flatMap((service) => {
      const all = releases[of][service];
      return all.map((instance, i): Instance => {
        const name = instance.name ?? (all.length === 1 ? service : `${service}-${i + 1}`);
        const { healthUrl, metricsUrl = `${healthUrl}/metrics` } = instance;
        const served = 'url' in instance ? instance.url : service === 'indexer' ? healthUrl : undefined;
        return { release: of, service, name, healthUrl, metricsUrl, url: served };
      });
    }),
  );
  checkUnique(instances);
  return { ...rest, instances };
}

/** Two processes cannot listen at one address, and the proxy's file tells releases apart by their addresses. */
function checkUnique(instances: readonly Instance[]): void {
  for (const key of ['healthUrl', 'url'] as const) {
    const users = Map.groupBy(
      instances.filter((instance) => instance[key] !== undefined),
      (instance) => instance[key],
    );
    for (const [address, of] of users)
      if (of.length > 1)
        throw new DeploymentError(`${address} is the ${key} of ${of.map(label).join(' and of ')}`);
  }
}

/** An instance in a report. */
export function label({ release, name }: Pick<Instance, 'release' | 'name'>): string {
  return `${release} ${name}`;
}
