/** Who sent an event, as far as a receiver knows it. */
export interface Sender {
  /** The name of the key that it was sent with; '' when it was sent with one that is not known any more. */
  key?: string | undefined;
  /** The address that it came from. */
  address?: string | undefined;
}

const keyHeader = 'logloom-key';
const addressHeader = 'logloom-address';

/** The headers of a record that tell its sender: they are for operators, and for judging a redriven record; no viewer gets them. */
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
