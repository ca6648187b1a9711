import type { Receivers } from '../file/parse-receivers.ts';
import { takesAcknowledgements } from '../file/receiver-traits.ts';
import type { Telling } from './group-state.ts';

/** What a receiver is told of. One that is no longer in the file still has its failure noted, once for each message. */
export function tellingOf(receivers: Receivers | undefined, name: string): Telling {
  const receiver = receivers?.receivers.get(name);
  return {
    resolved: receiver?.sendResolved !== false,
    acknowledgements: receiver !== undefined && takesAcknowledgements(receiver),
  };
}
