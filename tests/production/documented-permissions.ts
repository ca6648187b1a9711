import { topics } from '@logloom/schemas';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KafkaPermission } from '../../infra/local/kafka-users.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/engines.md'), 'utf8');
const everyService = 'every service';
const whole: Readonly<Record<string, readonly string[]>> = { 'all six': Object.values(topics) };

/** What docs/engines.md says that each service needs in Kafka, and the canary and applications: so the page cannot say too little. */
export function documentedKafkaPermissions(services: readonly string[]): KafkaPermission[] {
  const rows = page.matchAll(
    /^\| (every service|ingest|correlator|indexer|fanout|canary|applications) +\|([^|]*)\|([^|]*)\|$/gm,
  );
  return [...rows].flatMap(([, who = '', ofTopics = '', ofGroups = '']) =>
    (who === everyService ? services : [who]).flatMap((user) => [
      ...permissions(user, 'topic', ofTopics),
      ...permissions(user, 'group', ofGroups),
    ]),
  );
}

/** What follows the user's name and password in the documented ACL rule of Redis. */
export function documentedRedisRules(): string[] {
  const [, rules] = /^user logloom on >… (.*)$/m.exec(page) ?? [];
  if (rules === undefined) throw new Error('docs/engines.md has no ACL rule');
  return rules.split(' ');
}

/** Of a cell such as "Read `logs.raw`, `logs.events`; Describe and Write `logs.events`". */
function permissions(user: string, resource: KafkaPermission['resource'], cell: string): KafkaPermission[] {
  return cell.split(';').flatMap((part) => {
    const operations = part.match(/\b(?:Read|Write|Create|Describe|DescribeConfigs)\b/g) ?? [];
    const named = [...part.matchAll(/`([^`]+)`/g)].map(([, name]) => name!);
    const names = [
      ...named,
      ...Object.keys(whole).flatMap((words) => (part.includes(words) ? whole[words]! : [])),
    ];
    return operations.flatMap((operation) =>
      names.map((name) => ({ user, resource, name, operation: operation as KafkaPermission['operation'] })),
    );
  });
}
