import kafkajs from 'kafkajs';
import { defaultCacheDir } from './environment.ts';
import { findJava } from './java.ts';
import { fetchKafka } from './kafka.ts';
import { runCommand } from './run-command.ts';
import type { Stack } from './running-stack.ts';
import { oldestJava } from './versions.ts';

/** What a user may do with a topic or a consumer group, by Kafka's own names. */
export interface KafkaPermission {
  user: string;
  resource: 'topic' | 'group';
  name: string;
  operation: 'Read' | 'Write' | 'Create' | 'Describe' | 'DescribeConfigs';
}

/** Makes a user of a secured stack, or gives it another password, by Kafka's own tool. */
export async function setKafkaPassword(stack: Stack, user: string, password: string): Promise<void> {
  const { signal } = new AbortController();
  const java = await findJava('kafka', oldestJava.kafka);
  const libs = await fetchKafka({ cacheDir: defaultCacheDir, signal });
  const tool = ['-Xmx128m', '-XX:TieredStopAtLevel=1', '-cp', `${libs}/*`, 'kafka.admin.ConfigCommand'];
  const entity = ['--entity-type', 'users', '--entity-name', user];
  const change = ['--alter', '--add-config', `SCRAM-SHA-512=[password=${password}]`];
  await runCommand(java, [...tool, '--bootstrap-server', internal(stack), ...change, ...entity], signal);
}

/** Grants the permissions, and with `revoke` takes them away. */
export async function changeKafkaPermissions(
  stack: Stack,
  permissions: readonly KafkaPermission[],
  { revoke = false } = {},
): Promise<void> {
  const kafka = new kafkajs.Kafka({
    brokers: internal(stack).split(','),
    logLevel: kafkajs.logLevel.NOTHING,
  });
  const admin = kafka.admin();
  await admin.connect();
  try {
    const acl = permissions.map(({ user, resource, name, operation }) => ({
      resourceType: resource === 'topic' ? kafkajs.AclResourceTypes.TOPIC : kafkajs.AclResourceTypes.GROUP,
      resourceName: name,
      resourcePatternType: kafkajs.ResourcePatternTypes.LITERAL,
      principal: `User:${user}`,
      host: '*',
      operation: operations[operation],
      permissionType: kafkajs.AclPermissionTypes.ALLOW,
    }));
    if (revoke) await admin.deleteAcls({ filters: acl });
    else await admin.createAcls({ acl });
  } finally {
    await admin.disconnect();
  }
}

const operations: Record<KafkaPermission['operation'], kafkajs.AclOperationTypes> = {
  Read: kafkajs.AclOperationTypes.READ,
  Write: kafkajs.AclOperationTypes.WRITE,
  Create: kafkajs.AclOperationTypes.CREATE,
  Describe: kafkajs.AclOperationTypes.DESCRIBE,
  DescribeConfigs: kafkajs.AclOperationTypes.DESCRIBE_CONFIGS,
};

/** The listener of the brokers among themselves, where everybody may do everything. */
function internal(stack: Stack): string {
  return stack.addressesOf('kafka')['internal']!;
}
