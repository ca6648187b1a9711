import { contractText } from '@logloom/schemas';
import type { MemberEvent } from './group.ts';

const fields: readonly (keyof MemberEvent)[] = [
  'source',
  'timestamp',
  'level',
  'service',
  'correlationId',
  'correlationKind',
];

/** LogEvent reduced to what grouping needs: Avro skips the message and the attributes without decoding them. */
export const memberEventSchema: string = reduce();

function reduce(): string {
  const schema = JSON.parse(contractText('LogEvent')) as { fields: { name: string }[] };
  return JSON.stringify({
    ...schema,
    fields: schema.fields.filter((f) => (fields as readonly string[]).includes(f.name)),
  });
}
