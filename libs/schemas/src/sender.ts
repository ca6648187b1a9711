/** The sender of an event, as far as a receiver knows it. */
export interface Sender {
  /** The name of the key that it was sent with; '' if the key is no longer known. */
  key?: string | undefined;
  /** The address that it came from. */
  address?: string | undefined;
  /** Whether its events are those of a load test (loadtest.ts). */
  isLoadtest?: boolean | undefined;
  /** Whether it sends a backfill (backfill.ts). */
  isBackfill?: boolean | undefined;
}

const keyHeader = 'logloom-key';
const addressHeader = 'logloom-address';

/**
 * The headers of a record that name its sender: for operators, and for checking a redriven record's permissions; viewers never get them.
 */
export function senderHeaders({ key, address }: Sender): Record<string, string> {
  return {
    ...(key === undefined ? {} : { [keyHeader]: key }),
    ...(address === undefined ? {} : { [addressHeader]: address }),
  };
}

/** The inverse of senderHeaders(). */
export function senderOf(headers: Readonly<Record<string, string>>): Sender {
  return { key: headers[keyHeader], address: headers[addressHeader] };
}
