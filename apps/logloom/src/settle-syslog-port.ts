import type { Settings } from './settings.ts';
import type { Logger } from '@logloom/telemetry';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

const defaultPort = 5514;

/**
 * The settings, without syslog when another program has its default port: a first start must not fail for a receiver that nobody asked
 * for. Any other port was asked for, and ingest refuses to start without it.
 */
export async function settleSyslogPort(settings: Settings, logger: Logger): Promise<Settings> {
  if (settings.SYSLOG_PORT !== defaultPort || (await isFree(settings.HOST, defaultPort))) return settings;
  logger.warn(
    { port: defaultPort },
    'another program has the syslog port: going on without syslog; SYSLOG_PORT names another port',
  );
  return { ...settings, SYSLOG_PORT: 0 };
}

async function isFree(host: string, port: number): Promise<boolean> {
  const server = createServer();
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  try {
    server.listen({ host, port, exclusive: true });
    await once(server, 'listening');
    socket.bind({ address: host, port, exclusive: true });
    await once(socket, 'listening');
    return true;
  } catch (error) {
    // What else may be wrong with the address, ingest says better.
    return (error as NodeJS.ErrnoException).code !== 'EADDRINUSE';
  } finally {
    server.close();
    socket.close();
  }
}
