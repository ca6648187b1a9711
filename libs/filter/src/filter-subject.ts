import type { PlacedEvent } from '@logloom/schemas';
import { attributeValues, type AttributeValues } from './attribute-values.ts';
import { foldCase, joinFoldedWords } from './tokenize.ts';

/**
 * An event that is tested by many filters. Values that several of them may need are computed once, at their first use. Make one per event
 * and pass it to every predicate.
 */
export class FilterSubject {
  readonly event: PlacedEvent;
  #foldedMessage: string | undefined;
  #words: string | undefined;
  #attributes: AttributeValues | undefined;

  constructor(event: PlacedEvent) {
    this.event = event;
  }

  /** The message in lower case. */
  get foldedMessage(): string {
    return (this.#foldedMessage ??= foldCase(this.event.message));
  }

  /** The message's words, with a space before, between and after them, so that whole words can be found as text. */
  get words(): string {
    return (this.#words ??= joinFoldedWords(this.foldedMessage));
  }

  get attributes(): AttributeValues {
    return (this.#attributes ??= attributeValues(this.event.attributes));
  }
}
