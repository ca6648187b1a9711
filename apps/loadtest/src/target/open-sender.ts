import { CommandSender, commandScheme } from './command-sender.ts';
import { HttpSender } from './http-sender.ts';
import { IngestSender } from './ingest-sender.ts';
import type { OnAnswer, Sender, SenderTarget } from './sender.ts';
import { SocketSender } from './socket-sender.ts';

/** `producer` names the sender, for a target that drops what it sends twice. */
export function openSender(target: SenderTarget, producer: string, onAnswer: OnAnswer): Sender {
  if (target.kind === 'logloom') return new IngestSender(target, producer, onAnswer);
  if (target.url.startsWith(commandScheme))
    return new CommandSender(target.url.slice(commandScheme.length), onAnswer);
  return /^wss?:/.test(target.url) ? new SocketSender(target, onAnswer) : new HttpSender(target, onAnswer);
}
