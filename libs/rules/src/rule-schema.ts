import { z } from 'zod';
import { severities } from './severity.ts';

export const maxRules = 200;
export const maxRulesBytes = 65_536;

const filter = (what: string) =>
  z.string().min(1).max(4096).describe(`${what}, in the filter language of searches (libs/filter/README.md)`);

const condition = (what: string) =>
  z
    .string()
    .min(1)
    .max(4096)
    .describe(`${what}, such as \`ratio(level:error) > 5% and count >= 20\` (docs/rules.md)`);

const time = (most = 'ms, s, m, h or d') =>
  z.string().regex(/^[1-9]\d{0,8}(ms|s|m|h|d)$/, { message: `a time is a whole number with ${most}` });

const rule = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, {
        message: 'a name is 1 to 64 letters, digits, dots, underscores and hyphens',
      })
      .describe('what documents and alerts call the rule; unique in the file'),
    description: z.string().max(500).optional().describe('what an alert says'),
    when: filter('which events the rule is about'),
    count: z
      .int()
      .min(1)
      .max(1_000_000)
      .optional()
      .describe('matches once this many events of the session passed `when`; default 1'),
    distinct: z
      .strictObject({
        field: z.string().min(1).max(256).describe('a field of a filter, such as service or attributes.user'),
        count: z.int().min(2).max(1000).describe('how many different values'),
      })
      .optional()
      .describe('and once those events have this many different values of a field'),
    then: filter('matches once an event passes this after one that passed `when`').optional(),
    without: filter(
      'matches once an event that passed `when` was not followed by one that passes this `within` the time',
    ).optional(),
    within: time()
      .optional()
      .describe(
        'the longest time between the two events, by their own timestamps; at most 1h, with `by` at most 24h',
      ),
    of: z
      .enum(['events', 'requests'])
      .optional()
      .describe('what a rule with `window` or `by` looks at; default: events'),
    by: z
      .array(z.string().min(1).max(256))
      .max(8)
      .optional()
      .describe('fields; each combination of their values is a key that is counted by itself'),
    window: z
      .union([time(), z.strictObject({ tumbling: time().describe('windows that follow each other') })], {
        message: 'a window is a time, such as 5m, or { tumbling: 1h }',
      })
      .optional()
      .describe('the time of the log that `if` looks at: sliding, or tumbling'),
    if: condition('when the rule fires').optional(),
    until: condition('when the alert is resolved; default: once `if` no longer holds').optional(),
    for: time()
      .optional()
      .describe('how long `if` has to hold before the alert fires; it is pending meanwhile'),
    times: z
      .int()
      .min(1)
      .max(1000)
      .optional()
      .describe('with `then` and `by`: how many that pass `when` come first; default 1'),
    resolve: time()
      .optional()
      .describe('how long after its last match an alert of a rule without `if` is resolved; default 15m'),
    forget: time()
      .optional()
      .describe('how long a key is known after its last event; default 24h, with `new` 30d'),
    severity: z.enum(severities).optional().describe('the severity of the document; the highest counts'),
    labels: z
      .record(
        z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/, {
          message: 'a label is 1 to 64 letters, digits, underscores, dots and hyphens',
        }),
        z.string().max(256),
      )
      .optional()
      .describe('labels of the document; of two rules that set one label the one further down counts'),
    alert: z.boolean().optional().describe('raise an alert in logs.alerts'),
    webhook: z
      .url({ protocol: /^https?$/, message: 'is not an http or https URL' })
      .max(2048)
      .optional()
      .describe('raise an alert and post it here too; the URL is kept in the log'),
    close: z
      .literal([true, 'final'], { message: 'close is true or final' })
      .optional()
      .describe('close the session; `final`: the next event with its id starts another document'),
  })
  .describe('a rule over the events of one session or, with `window` or `by`, over many events or requests');

const bytes = z
  .int()
  .min(2 ** 20)
  .max(2 ** 40);

/** A rules file, as parsed from YAML. */
export const rulesFileSchema = z
  .strictObject({
    rules: z.array(rule).max(maxRules),
    limits: z
      .strictObject({
        ruleBytes: bytes.optional().describe('memory for the keys of one rule; default 64 MiB'),
        bytes: bytes.optional().describe('memory for the keys of all rules; default 256 MiB'),
      })
      .optional()
      .describe('memory for rules with `window` or `by`, in bytes, in all partitions together'),
  })
  .describe('Correlation rules of Logloom (docs/rules.md)');

export type RuleText = z.infer<typeof rule>;

/** The JSON schema of the file, for editors; rules.schema.json is generated from it. */
export function rulesJsonSchema(): object {
  return { ...z.toJSONSchema(rulesFileSchema), title: 'Logloom correlation rules' };
}
