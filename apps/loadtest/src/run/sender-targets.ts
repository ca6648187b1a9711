import type { KafkaOptions } from '@logloom/event-log';
import { LoadtestError } from '../errors.ts';
import { queueCount } from '../generator/queue-count.ts';
import { defaultReceivers, type ReceiverKind } from '../target/receiver.ts';
import type { SenderTarget } from '../target/sender.ts';
import type { TargetKind } from '../target/target.ts';

/** Where events go in. */
export interface SenderAddresses {
  /** Of a Logloom: base URLs of ingest ports; of others: what takes events. */
  ingestUrls: readonly string[];
  ingestKey?: string | undefined;
  /** Centrifugo's. */
  channel?: string | undefined;
  /** `syslog://HOST:PORT`, for the receiver syslog. */
  syslogUrl?: string | undefined;
  /** For the receiver kafka. */
  kafka?: KafkaOptions | undefined;
}

/**
 * What each queue of the sender sends to: receivers and addresses take turns. Throws LoadtestError `bad-scenario` for a receiver that the
 * target does not have, `target-unavailable` for one whose address is not known.
 */
export function senderTargets(
  kind: TargetKind,
  receivers: readonly ReceiverKind[] | undefined,
  addresses: SenderAddresses,
): SenderTarget[] {
  const { ingestUrls, ingestKey: key, channel } = addresses;
  if (kind !== 'logloom') {
    if (receivers !== undefined)
      throw new LoadtestError('bad-scenario', `events.receiver is for Logloom, and the target is ${kind}`);
    return turns((i) => ({ kind, url: ingestUrls[i % ingestUrls.length]!, key, channel }));
  }
  const kinds = receivers ?? defaultReceivers;
  return turns((i) => {
    const receiver = kinds[i % kinds.length]!;
    const url = ingestUrls[Math.floor(i / kinds.length) % ingestUrls.length]!;
    return { kind, key, receiver, ...addressOf(receiver, url, addresses) };
  });
}

function turns(targetOf: (queue: number) => SenderTarget): SenderTarget[] {
  return Array.from({ length: queueCount }, (_, i) => targetOf(i));
}

function addressOf(
  receiver: ReceiverKind,
  ingestUrl: string,
  { syslogUrl, kafka }: SenderAddresses,
): Pick<SenderTarget, 'url' | 'kafka'> {
  if (receiver === 'syslog') {
    if (syslogUrl === undefined)
      throw new LoadtestError('target-unavailable', 'the receiver syslog has no address: --syslog HOST:PORT');
    return { url: syslogUrl };
  }
  if (receiver !== 'kafka') return { url: ingestUrl };
  if (kafka === undefined)
    throw new LoadtestError(
      'target-unavailable',
      'the receiver kafka has no address: set KAFKA_BROKERS, as for the target',
    );
  return { url: '', kafka };
}

/** The addresses of senders, each once, without that of a client of Kafka, which knows its own. */
export function distinctUrls(senders: readonly SenderTarget[]): string[] {
  return [...new Set(senders.map(({ url }) => url))].filter((url) => url !== '');
}
