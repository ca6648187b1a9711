import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What a file's place says of its events. */
export interface FileOrigin {
  service?: string;
  host?: string;
  attributes: Record<string, unknown>;
}

const dockerLog = /(?:^|\/)([0-9a-f]{64})-json\.log(?:\.\d+)?(?:\.gz)?$/;
/** <pod>_<namespace>_<container>-<id>.log, the links in /var/log/containers. */
const containerLink =
  /(?:^|\/)([a-z0-9][a-z0-9.-]*)_([a-z0-9][a-z0-9-]*)_([a-z0-9][a-z0-9-]*)-([0-9a-f]{64})\.log$/;
/** <namespace>_<pod>_<uid>/<container>/<restarts>.log, in /var/log/pods. */
const podLog =
  /(?:^|\/)([a-z0-9][a-z0-9-]*)_([a-z0-9][a-z0-9.-]*)_([0-9a-f-]{32,36})\/([a-z0-9][a-z0-9-]*)\/(\d+)\.log(?:\.[\d-]+)?(?:\.gz)?$/;
const podmanLog = /\/overlay-containers\/([0-9a-f]{64})\/userdata\/ctr\.log$/;

/** Reads what the names of Docker's and Kubernetes' folders say: service, host, pod and container. The file's path is an attribute of every file's events. */
export function originOf(path: string): FileOrigin {
  const attributes: Record<string, unknown> = { 'log.file.path': path };
  const link = containerLink.exec(path);
  if (link !== null) {
    const [, pod, namespace, container, id] = link as unknown as string[];
    attributes['container.id'] = id;
    return kubernetes(attributes, pod!, namespace!, container!);
  }
  const inPod = podLog.exec(path);
  if (inPod !== null) {
    const [, namespace, pod, uid, container, restarts] = inPod as unknown as string[];
    attributes['kubernetes.pod.uid'] = uid;
    attributes['kubernetes.container.restart_count'] = Number(restarts);
    return kubernetes(attributes, pod!, namespace!, container!);
  }
  const docker = dockerLog.exec(path);
  if (docker !== null) return dockerOrigin(path, docker[1]!, attributes);
  const podman = podmanLog.exec(path);
  if (podman !== null) attributes['container.id'] = podman[1];
  return { attributes };
}

function kubernetes(
  attributes: Record<string, unknown>,
  pod: string,
  namespace: string,
  container: string,
): FileOrigin {
  attributes['kubernetes.pod.name'] = pod;
  attributes['kubernetes.namespace'] = namespace;
  attributes['kubernetes.container.name'] = container;
  return { service: container, host: pod, attributes };
}

interface DockerConfig {
  Name?: string;
  Config?: { Hostname?: string; Image?: string; Labels?: Record<string, string> | null };
}

/** Docker keeps the container's name beside its log. */
function dockerOrigin(path: string, id: string, attributes: Record<string, unknown>): FileOrigin {
  attributes['container.id'] = id;
  let config: DockerConfig;
  try {
    config = JSON.parse(readFileSync(join(dirname(path), 'config.v2.json'), 'utf8')) as DockerConfig;
  } catch {
    return { attributes };
  }
  const name = config.Name?.replace(/^\//, '');
  const labels = config.Config?.Labels ?? {};
  if (name !== undefined) attributes['container.name'] = name;
  if (config.Config?.Image !== undefined) attributes['container.image.name'] = config.Config.Image;
  const service =
    labels['com.docker.compose.service'] ??
    labels['com.docker.swarm.service.name'] ??
    labels['org.opencontainers.image.title'] ??
    name;
  const host = config.Config?.Hostname;
  return { ...(service !== undefined && { service }), ...(host !== undefined && { host }), attributes };
}
