/**
 * Writes into each pod of the fan-out how many viewers it has, as its deletion cost: of the pods of a ReplicaSet that is scaled down the
 * cheapest goes first (https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/#pod-deletion-cost). A job of the chart runs it:
 *   node set-deletion-costs.ts <API server> <file with the token> <namespace> <label selector> <port of the metrics> [<file with METRICS_TOKEN>]
 */
import { readFileSync } from 'node:fs';

const annotation = 'controller.kubernetes.io/pod-deletion-cost';

interface Pod {
  metadata: { name: string; deletionTimestamp?: string; annotations?: Record<string, string> };
  status: { phase: string; podIP?: string };
}

/** The viewers of all transports in a page of metrics; undefined where it has none of them. */
function viewersIn(metrics: string): number | undefined {
  const counts = Array.from(metrics.matchAll(/^logloom_live_viewers(?:\{[^}]*\})? (\d+)$/gm), ([, count]) =>
    Number(count),
  );
  return counts.length === 0 ? undefined : counts.reduce((sum, count) => sum + count, 0);
}

/** Whether the number has moved by so much (a tenth, and more than 10) that it is worth a write to the API server. */
function hasMoved(from: string | undefined, to: number): boolean {
  return from === undefined || Math.abs(to - Number(from)) > Math.max(10, Number(from) / 10);
}

const [api = '', tokenFile = '', namespace = '', selector = '', port = '', metricsTokenFile] =
  process.argv.slice(2);
const bearer = (file: string) => ({ authorization: `Bearer ${readFileSync(file, 'utf8').trim()}` });
const headers = bearer(tokenFile);
const metricsHeaders = metricsTokenFile === undefined ? {} : bearer(metricsTokenFile);
const pods = `${api}/api/v1/namespaces/${namespace}/pods`;

async function ask(url: string, init: RequestInit = {}): Promise<Response> {
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(10_000) });
  if (!response.ok)
    throw new Error(`${init.method ?? 'GET'} ${url}: ${response.status} ${await response.text()}`);
  return response;
}

/** What was done about one pod, or why not. */
async function setCost({ metadata, status }: Pod): Promise<string> {
  const { name, deletionTimestamp, annotations } = metadata;
  if (status.phase !== 'Running' || status.podIP === undefined || deletionTimestamp !== undefined)
    return `${name}: it does not run`;
  const host = status.podIP.includes(':') ? `[${status.podIP}]` : status.podIP;
  const viewers = viewersIn(
    await (await ask(`http://${host}:${port}/metrics`, { headers: metricsHeaders })).text(),
  );
  if (viewers === undefined) return `${name}: no viewers in its metrics`;
  if (!hasMoved(annotations?.[annotation], viewers)) return `${name}: ${viewers} viewers, as before`;
  await ask(`${pods}/${name}`, {
    method: 'PATCH',
    headers: { ...headers, 'content-type': 'application/merge-patch+json' },
    body: JSON.stringify({ metadata: { annotations: { [annotation]: String(viewers) } } }),
  });
  return `${name}: ${viewers} viewers`;
}

const list = await ask(`${pods}?labelSelector=${encodeURIComponent(selector)}`, { headers });
const { items } = (await list.json()) as { items: Pod[] };
for (const result of await Promise.allSettled(items.map(setCost))) {
  if (result.status === 'fulfilled') console.log(result.value);
  else {
    // The others are done all the same.
    console.error((result.reason as Error).message);
    process.exitCode = 1;
  }
}
