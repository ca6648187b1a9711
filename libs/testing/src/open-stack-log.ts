import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const recorded = join(import.meta.dirname, '../../../../shared/data/OpenStack_2k.log');

const lineCount = 2_000;
const requestCount = 938;
const day = '2017-05-16';
const services = [
  { name: 'nova-api', level: 'INFO', logger: 'nova.osapi_compute.wsgi.server' },
  { name: 'nova-compute', level: 'INFO', logger: 'nova.compute.manager' },
  { name: 'nova-compute', level: 'WARNING', logger: 'nova.virt.libvirt.imagecache' },
  { name: 'nova-scheduler', level: 'INFO', logger: 'nova.scheduler.host_manager' },
] as const;

/**
 * The text of 2,000 lines as OpenStack's Nova logs them, of 938 requests that name themselves in brackets: recorded ones where they lie beside
 * the repository, otherwise made up in the same layout. Plain text: each line begins with the name of its file.
 */
export function openStackLog(): string {
  if (existsSync(recorded)) return readFileSync(recorded, 'utf8');
  return `${Array.from({ length: lineCount }, (_, i) => madeUpLine(i)).join('\n')}\n`;
}

function madeUpLine(i: number): string {
  const { name, level, logger } = services[i % services.length]!;
  const at = new Date(Date.parse(`${day}T00:00:00.008Z`) + i * 437).toISOString();
  const time = `${day} ${at.slice(11, 23)}`;
  const head = `${name}.log.1.${day}_13:53:08 ${time} ${25_746 + (i % 3)} ${level} ${logger}`;
  // One line in eight belongs to no request.
  const requester = i % 8 === 7 ? '-' : `${requestId(i % requestCount)} - - - - -`;
  return `${head} [${requester}] ${messageOf(i)}`;
}

function requestId(n: number): string {
  const hex = (0x38_10_1a_0b + n * 7_919).toString(16).padStart(8, '0');
  return `req-${hex}-2096-447d-96ea-${(n + 1).toString(16).padStart(12, '0')}`;
}

function messageOf(i: number): string {
  if (i % 4 === 0)
    return `10.11.10.1 "GET /v2/servers/detail HTTP/1.1" status: 200 len: ${1_583 + i} time: 0.2477829`;
  return `[instance: b9000564-fe1a-409b-b8cc-${(i * 31).toString(16).padStart(12, '0')}] VM Started (Lifecycle Event)`;
}
