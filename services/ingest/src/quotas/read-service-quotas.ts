import { commaSeparated, InvalidValue } from '@logloom/settings';

/** One item of INGEST_SERVICE_QUOTAS; a rate that is absent is not limited. */
export interface ServiceQuota {
  /** A name; `*` stands for any text. */
  service: string;
  eventsPerSecond: number | undefined;
  bytesPerSecond: number | undefined;
}

/** INGEST_SERVICE_QUOTAS: items of service=events/bytes. Throws InvalidValue for what is none. */
export function readServiceQuotas(text: string): ServiceQuota[] {
  const problems: string[] = [];
  const quotas = commaSeparated(text).flatMap((entry) => {
    const match = /^(.+)=(-|[1-9]\d{0,11})(?:\/(-|[1-9]\d{0,11}))?$/.exec(entry);
    if (match === null) {
      problems.push(`${entry} is not service=events/bytes, such as checkout-*=5000/2000000 or audit=-`);
      return [];
    }
    const [, service = '', events, bytes] = match;
    return [{ service, eventsPerSecond: rateOf(events), bytesPerSecond: rateOf(bytes) }];
  });
  if (problems.length > 0) throw new InvalidValue(...problems);
  return quotas;
}

function rateOf(text: string | undefined): number | undefined {
  return text === undefined || text === '-' ? undefined : Number(text);
}
