import { readText, type TextEvent } from './read-text.ts';
import { localContext } from './time/scan-parts.ts';

export type { TextEvent } from './read-text.ts';

/** As readText(), for times without a zone in the zone of this process. */
export function textEvent(text: string, receivedAtMs: number): TextEvent {
  return readText(text, localContext(receivedAtMs));
}
