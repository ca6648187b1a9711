import { z } from 'zod';
import { severities } from './severity.ts';

export const maxRules = 200;
export const maxRulesBytes = 65_536;

const filter = (what: string) =>
  z.string().min(1).max(4096).describe(`${what}, in the filter language of searches (libs/filter/README.md)`);

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
    within: z
      .string()
      .regex(/^[1-9]\d{0,8}(ms|s|m|h)$/, { message: 'a time is a whole number with ms, s, m or h' })
      .optional()
      .describe('the longest time between the two events, by their own timestamps; at most 1h'),
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
  .describe('a rule over the events of one session');

/** A rules file, as parsed from YAML. */
export const rulesFileSchema = z
  .strictObject({
    rules: z.array(rule).max(maxRules),
  })
  .describe('Correlation rules of Logloom (docs/rules.md)');

export type RuleText = z.infer<typeof rule>;

/** The JSON schema of the file, for editors; rules.schema.json is generated from it. */
export function rulesJsonSchema(): object {
  return { ...z.toJSONSchema(rulesFileSchema), title: 'Logloom correlation rules' };
}
