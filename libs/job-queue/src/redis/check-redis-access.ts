import { EngineAccessError, speaksTls } from '@logloom/settings/connection';
import { connect } from 'node:net';
import type { RedisClient, RedisClients } from './redis-client.ts';
import { redisFault, sentinelFault } from './redis-fault.ts';
import { parseRedisUrl } from './redis-url.ts';

const answerMs = 3_000;

/**
 * Looks before the start whether Redis takes this client: no waiting mends a wrong password. Returns also when Redis is away, which may
 * pass. Throws EngineAccessError with the setting to look at.
 */
export async function checkRedisAccess(clients: RedisClients, url: string, key: string): Promise<void> {
  const more = { retryStrategy: () => null, connectTimeout: answerMs };
  const sentinels = await Promise.all(
    clients.connectSentinels(more).map(({ client, ask }) => refusalOf(client, ask, sentinelFault)),
  );
  const refusedByAll = sentinels.every((one) => typeof one === 'string') ? sentinels[0] : undefined;
  if (refusedByAll) throw new EngineAccessError(`Redis (REDIS_URL): ${refusedByAll}`);
  const client = clients.connect(more);
  const refusal = await refusalOf(client, () => client.exists(key), redisFault);
  const fault = refusal === null ? await otherProtocol(url) : refusal;
  if (fault !== undefined) throw new EngineAccessError(`Redis (REDIS_URL): ${fault}`);
}

/** Why it does not take this client; null: nobody knows, undefined: it does. */
async function refusalOf(
  client: RedisClient,
  ask: () => Promise<unknown>,
  faultOf: (error: unknown) => string | undefined,
): Promise<string | null | undefined> {
  let fault: string | undefined;
  const refused = Promise.withResolvers<never>();
  refused.promise.catch(() => {});
  client.on('error', (error: Error) => {
    fault ??= faultOf(error);
    refused.reject(error);
  });
  client.once('close', () => refused.reject(new Error('Redis closed the connection')));
  const timer = setTimeout(() => refused.reject(new Error('Redis does not answer')), answerMs);
  try {
    await Promise.race([refused.promise, ask()]);
    return undefined;
  } catch (error) {
    return fault ?? faultOf(error) ?? null;
  } finally {
    clearTimeout(timer);
    client.disconnect();
  }
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
