// For tests: a member of the group of the alerts on the settings given as JSON, as a process that can be killed. It prints each alert that it tells of, as a line of JSON.
import { connectLog } from '@logloom/runtime';
import { topics } from '@logloom/schemas';
import { keepAlerts } from '../alerts/keep-alerts.ts';
import { parseSettings } from '../settings.ts';

await using connection = await connectLog(
  parseSettings(JSON.parse(process.argv[2]!) as Record<string, string>),
);
const { log, serde } = connection;
const stop = new AbortController();
process.once('SIGTERM', () => stop.abort());
await log.consume(
  {
    group: 'alerts',
    topics: [topics.alerts],
    open: async (assignment) => {
      const commitAll = ({ commit }: typeof assignment) => ({
        process: async (records: { offset: number }[]) => commit(records.at(-1)!.offset + 1),
      });
      if (assignment.partition !== 0) return commitAll(assignment);
      process.stdout.write('owner\n');
      return keepAlerts(
        {
          log,
          serde,
          logger: { error: (fields: object) => process.stderr.write(`${JSON.stringify(fields)}\n`) } as never,
          tell: async (alerts) => {
            for (const alert of alerts) process.stdout.write(`${JSON.stringify(alert)}\n`);
          },
          limitBytes: 2 ** 24,
          retentionMs: undefined,
          nowMs: Date.now,
        },
        assignment,
        commitAll,
      );
    },
  },
  stop.signal,
);
