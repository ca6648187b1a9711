import yaml from 'yaml';

/** What the tests read of Kubernetes' objects. */
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  data?: Record<string, string>;
  spec?: Record<string, unknown>;
}

export interface Probe {
  httpGet?: { path: string; port: string };
  tcpSocket?: { port: string };
  periodSeconds: number;
  timeoutSeconds?: number;
  failureThreshold?: number;
}

export interface Container {
  name: string;
  image: string;
  command?: string[];
  env?: { name: string; value?: string; valueFrom?: { secretKeyRef: { name: string; key: string } } }[];
  ports?: { name: string; containerPort: number; protocol?: string }[];
  startupProbe?: Probe;
  livenessProbe?: Probe;
  readinessProbe?: Probe;
  lifecycle?: { preStop: { sleep: { seconds: number } } | { exec: { command: string[] } } };
  resources: { requests: Record<string, string>; limits: Record<string, string> };
  securityContext: Record<string, unknown>;
  volumeMounts: { name: string; mountPath: string; readOnly?: boolean }[];
}

export interface PodSpec {
  automountServiceAccountToken: boolean;
  enableServiceLinks: boolean;
  securityContext: Record<string, unknown>;
  terminationGracePeriodSeconds: number;
  initContainers?: Container[];
  containers: Container[];
  volumes: { name: string }[];
}

/** How long preStop takes at most, in seconds: its sleep, and the drain of viewers that may follow. */
export function preStopSeconds({ lifecycle }: Container): number {
  const { preStop } = lifecycle!;
  if ('sleep' in preStop) return preStop.sleep.seconds;
  const { pause, drain } = /sleep (?<pause>\d+); .* drain --over (?<drain>\d+)/.exec(
    preStop.exec.command.at(-1)!,
  )!.groups!;
  return Number(pause) + Number(drain);
}

/** The objects of a file. */
export function readManifests(text: string): Manifest[] {
  return yaml
    .parseAllDocuments(text)
    .map((document) => document.toJS() as Manifest | null)
    .filter((manifest) => manifest !== null);
}

/** The pod of a Deployment or StatefulSet, with its labels. */
export function podOf({ spec }: Manifest): { labels: Record<string, string>; spec: PodSpec } {
  const { metadata, spec: pod } = (
    spec as { template: { metadata: { labels: Record<string, string> }; spec: PodSpec } }
  ).template;
  return { labels: metadata.labels, spec: pod };
}

/** Those objects that make pods. */
export function workloads(manifests: readonly Manifest[]): Manifest[] {
  return manifests.filter(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet');
}
