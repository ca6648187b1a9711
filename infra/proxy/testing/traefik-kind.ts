import { eventually } from '@logloom/testing';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { join } from 'node:path';
import type { ProxyKind } from './proxy-kind.ts';

/** Traefik with the file provider; its certificate is given instead of issued. */
export const traefik: ProxyKind = {
  name: 'traefik',
  examples: ['traefik/traefik.yaml', 'traefik/logloom.yaml'],
  from: { go: 'traefik' },
  args: (configuration) => [`--configFile=${configuration}`],
  adapt: (text, { port, folder }) =>
    text
      .replace("address: ':80'", "address: '127.0.0.1:0'")
      .replace("address: ':443'", `address: '127.0.0.1:${port}'`)
      .replaceAll('certResolver: letsencrypt', '')
      .replace(/^certificatesResolvers:\n(?: .*\n)+/m, '')
      .replace('# tls: { certificates:', 'tls: { certificates:')
      .replaceAll(/\/etc\/traefik(?:\/tls)?/g, folder),
  acceptProxyProtocol: (text) =>
    text.replace(
      '# proxyProtocol: { trustedIPs: [10.0.0.0/8] }',
      'proxyProtocol: { trustedIPs: [127.0.0.1] }',
    ),
  refusal: 404,
  // It takes only what differs from before; the changed line is one that shows in responses.
  reload: async (_, configuration, port) => {
    const file = join(configuration, '..', 'logloom.yaml');
    const before = readFileSync(file, 'utf8');
    const seconds = Number(/stsSeconds: (\d+)/.exec(before)![1]) + 1;
    writeFileSync(`${file}.new`, before.replace(/stsSeconds: \d+/, `stsSeconds: ${seconds}`));
    renameSync(`${file}.new`, file);
    await eventually('the changed file', async () => (await strictTransport(port)) === `max-age=${seconds}`);
  },
};

function strictTransport(port: number): Promise<string | undefined> {
  const options = {
    host: '127.0.0.1',
    servername: 'logs.example.com',
    headers: { host: 'logs.example.com' },
  };
  return new Promise((resolve, reject) => {
    get({ ...options, port, path: '/health/live', rejectUnauthorized: false }, (response) => {
      response.resume();
      resolve(response.headers['strict-transport-security']);
    }).on('error', reject);
  });
}
