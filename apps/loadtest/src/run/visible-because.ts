import { hidesEvents } from '../target/hides-events.ts';
import { abilitiesOfReceiver } from '../target/receiver.ts';
import type { SenderTarget } from '../target/sender.ts';
import { distinctUrls } from './sender-targets.ts';

/** Why users of the target will see the run's events; undefined: they will not. */
export async function visibleBecause(
  senders: readonly SenderTarget[],
  run: string,
): Promise<string | undefined> {
  const unmarked = senders.find(({ receiver = 'json' }) => !abilitiesOfReceiver[receiver].marks);
  if (unmarked !== undefined)
    return `events that go in by ${unmarked.receiver} cannot be marked as a load test's`;
  for (const url of distinctUrls(senders))
    if (!(await hidesEvents({ url, key: senders[0]!.key }, run)))
      return "the target does not hide the run's events";
  return undefined;
}
