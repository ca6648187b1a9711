import { RejectedError } from '../errors.ts';
import { jsonText, type JsonFindings } from '../event/json-text.ts';

/**
 * Returns the payload of a dead letter: what `read` returns in JSON, so that a redrive can read it. The bytes as they were received where it
 * cannot be read, because it throws RejectedError, or RangeError for a time beyond that of a Date, or is nested too deep.
 */
export function jsonPayload(received: Buffer, read: () => object): Buffer {
  const findings: JsonFindings = { tooDeep: false, rounded: false };
  try {
    const text = jsonText(read(), 0, findings);
    return findings.tooDeep ? received : Buffer.from(text);
  } catch (error) {
    if (error instanceof RejectedError || error instanceof RangeError) return received;
    throw error;
  }
}
