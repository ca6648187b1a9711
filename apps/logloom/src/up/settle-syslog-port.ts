import type { Settings } from '../settings.ts';
import type { Logger } from '@logloom/telemetry';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

const defaultPort = 5514;

/**
 * The settings, without syslog if another program uses its default port: a first start must not fail because of a receiver that nobody
 * configured. Any other port was configured, and ingest refuses to start without it.
 */
export async function settleSyslogPort(settings: Settings, logger: Logger): Promise<Settings> {
  if (settings.SYSLOG_PORT !== defaultPort || (await isFree(settings.HOST, defaultPort))) return settings;
  logger.warn(
    { port: defaultPort },
    'another program uses the syslog port: continuing without syslog; SYSLOG_PORT sets another port',
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
    // Ingest reports other problems with the address better.
    return (error as NodeJS.ErrnoException).code !== 'EADDRINUSE';
  } finally {
    server.close();
    socket.close();
  }
}
