import { contractText } from '@logloom/schemas';

/** LogEvent reduced to what grouping and rules need. */
export const memberEventSchema: string = reduce();

function reduce(): string {
  const schema = JSON.parse(contractText('LogEvent')) as { fields: { name: string }[] };
  return JSON.stringify({ ...schema, fields: schema.fields.filter(({ name }) => name !== 'receivedAt') });
}
