import { CommandSender, commandScheme } from './command-sender.ts';
import { httpReceivers } from './http-receivers.ts';
import { HttpSender } from './http-sender.ts';
import { IngestSender } from './ingest-sender.ts';
import { KafkaSender } from './kafka-sender.ts';
import { abilitiesOfReceiver } from './receiver.ts';
import type { OnAnswer, Sender, SenderTarget } from './sender.ts';
import { SocketSender } from './socket-sender.ts';
import { SyslogSender } from './syslog-sender.ts';

/** `producer` names the sender, for a target that drops what it sends twice. */
export function openSender(target: SenderTarget, producer: string, onAnswer: OnAnswer): Sender {
  if (target.kind === 'logloom') return openReceiver(target, producer, onAnswer);
  if (target.url.startsWith(commandScheme))
    return new CommandSender(target.url.slice(commandScheme.length), onAnswer);
  return /^wss?:/.test(target.url) ? new SocketSender(target, onAnswer) : new HttpSender(target, onAnswer);
}

/** Whether the target says what became of each event. */
export function acknowledges({ kind, url, receiver = 'json' }: SenderTarget): boolean {
  return kind === 'logloom' ? abilitiesOfReceiver[receiver].acknowledges : !url.startsWith(commandScheme);
}

function openReceiver(target: SenderTarget, producer: string, onAnswer: OnAnswer): Sender {
  const { receiver = 'json' } = target;
  switch (receiver) {
    case 'syslog':
      return new SyslogSender(target, onAnswer);
    case 'kafka':
      return new KafkaSender(target, onAnswer);
    default:
      return new IngestSender(target, httpReceivers[receiver], producer, onAnswer);
  }
}
