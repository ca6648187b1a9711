import { EngineAccessError, speaksTls } from '@logloom/settings/connection';
import { connect } from 'node:net';
import { redisFault } from './redis-fault.ts';
import type { RedisClients } from './redis-client.ts';
import { parseRedisUrl } from './redis-url.ts';

const answerMs = 3_000;

/**
 * Looks before the start whether Redis takes this client: no waiting mends a wrong password. Returns also when Redis is away, which may
 * pass. Throws EngineAccessError with the setting to look at.
 */
export async function checkRedisAccess(clients: RedisClients, url: string, key: string): Promise<void> {
  const client = clients.connect({ retryStrategy: () => null, connectTimeout: answerMs });
  let fault: string | undefined;
  const refused = Promise.withResolvers<never>();
  refused.promise.catch(() => {});
  client.on('error', (error: Error) => {
    fault ??= redisFault(error);
    refused.reject(error);
  });
  client.once('close', () => refused.reject(new Error('Redis closed the connection')));
  const timer = setTimeout(() => refused.reject(new Error('Redis does not answer')), answerMs);
  try {
    await Promise.race([refused.promise, client.exists(key)]);
  } catch (error) {
    fault ??= redisFault(error) ?? (await otherProtocol(url));
  } finally {
    clearTimeout(timer);
    client.disconnect();
  }
  if (fault !== undefined) throw new EngineAccessError(`Redis (REDIS_URL): ${fault}`);
}

/** Whether one side speaks TLS and the other does not. */
async function otherProtocol(url: string): Promise<string | undefined> {
  const { isTls, hosts } = parseRedisUrl(url);
  const [{ host, port } = { host: '', port: 0 }] = hosts;
  if (!isTls) return (await speaksTls(host, port)) ? 'it speaks TLS on this port: write rediss:' : undefined;
  return (await speaksPlain(host, port)) ? 'it speaks no TLS on this port: write redis:' : undefined;
}

/** Redis answers an inline PING to everybody, if only with NOAUTH. */
function speaksPlain(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port }, () => socket.write('PING\r\n'));
    const end = (isPlain: boolean): void => {
      socket.destroy();
      resolve(isPlain);
    };
    socket.setTimeout(answerMs, () => end(false));
    socket.once('data', (bytes: Buffer) => end(bytes[0] === 0x2b || bytes[0] === 0x2d));
    socket.once('error', () => end(false));
    socket.once('close', () => end(false));
  });
}
