import { EngineAccessError } from '@logloom/settings/connection';
import { BrokerClient } from '../broker-client.ts';
import type { KafkaSettings } from '../options.ts';
import { ping } from '../ping.ts';
import { accessFault, speaksNoTls } from './access-fault.ts';
import { KafkaSecurity } from './kafka-security.ts';

const answerMs = 5_000;

/**
 * Checks before the start whether the named brokers accept this client: waiting does not fix a wrong password. Returns once one of them
 * does, or when all are away, which may pass. Throws EngineAccessError, with the setting to look at, when one refuses and none takes it.
 */
export async function checkAccess(settings: KafkaSettings): Promise<void> {
  const denied: string[] = [];
  const tries = settings.brokers.map(async (address) => {
    try {
      await logIn(settings, address);
    } catch (error) {
      const fault = accessFault(error);
      if (fault !== undefined) denied.push(`${address}: ${fault}`);
      throw error;
    }
  });
  const isTaken = await Promise.any(tries).then(
    () => true,
    () => false,
  );
  if (!isTaken && denied.length > 0) throw new EngineAccessError(`Kafka at ${denied[0]!} (KAFKA_BROKERS)`);
}

async function logIn(settings: KafkaSettings, address: string): Promise<void> {
  try {
    await answers(settings.security, address);
  } catch (error) {
    if (settings.security.isTls && (await speaksPlain(address)))
      throw Object.assign(new Error('no TLS', { cause: error }), { code: speaksNoTls });
    throw error;
  }
  const client = new BrokerClient(settings, address, answerMs);
  try {
    await client.logIn();
  } finally {
    client.close();
  }
}

async function speaksPlain(address: string): Promise<boolean> {
  return answers(new KafkaSecurity(), address).then(
    () => true,
    () => false,
  );
}

async function answers(security: KafkaSecurity, address: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(() => reject(new Error(`${address} does not answer`)), answerMs);
  const stop = ping(security, address, resolve, reject);
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    stop();
  }
}
