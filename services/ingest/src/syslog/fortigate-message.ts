import { parseLogfmt } from '../text/parse-logfmt.ts';

const begin = /^date=\d{4}-\d{2}-\d{2} time=\d{2}:\d{2}:\d{2} /;

/**
 * Returns the fields of a message of FortiGate's (key=value, with date, time and zone apart), under the names that JSON has; undefined for any
 * other message.
 */
export function fortigateMessage(message: string): Record<string, unknown> | undefined {
  if (!begin.test(message)) return undefined;
  const fields = parseLogfmt(message);
  if (fields === undefined) return undefined;
  const { date, time, tz, devname, msg, ...rest } = fields;
  return {
    ...rest,
    timestamp: `${String(date)}T${String(time)}${typeof tz === 'string' ? tz : ''}`,
    ...(devname !== undefined && { host: devname }),
    message: msg ?? message,
  };
}
