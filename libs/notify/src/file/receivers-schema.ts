import { z } from 'zod';
import { duration, receiverSchema } from './receiver-schema.ts';
import { parseMatcher } from './matcher.ts';

export const maxReceiversBytes = 1_048_576;

const matcherText = z
  .string()
  .max(1024)
  .superRefine((text, context) => {
    try {
      parseMatcher(text);
    } catch (error) {
      context.addIssue((error as Error).message);
    }
  });

const matches = z
  .union([z.array(matcherText).max(50), z.record(z.string(), z.string())])
  .describe(
    'matchers, such as severity="high" or service=~"pay.*", or labels with their values; all must hold',
  );

/** A route as it is written; the type is recursive, so it is declared. */
export interface RouteText {
  receiver?: string | undefined;
  match?: string[] | Record<string, string> | undefined;
  groupBy?: string[] | undefined;
  groupWait?: string | undefined;
  groupInterval?: string | undefined;
  repeatInterval?: string | undefined;
  continue?: boolean | undefined;
  routes?: RouteText[] | undefined;
}

const route: z.ZodType<RouteText> = z
  .strictObject({
    receiver: z.string().optional().describe("who is told; default: the parent's"),
    match: matches.optional(),
    groupBy: z
      .array(z.string().min(1).max(256))
      .max(20)
      .optional()
      .describe("labels; alerts with the same values of them come in one message; '...': each alert alone"),
    groupWait: duration('1h', 'how long a new group waits for more alerts; default 30s').optional(),
    groupInterval: duration('1d', 'the least time between two messages of a group; default 5m').optional(),
    repeatInterval: duration('30d', 'how often what still fires is said again; default 4h').optional(),
    continue: z.boolean().optional().describe('whether the routes after this one are tried too'),
    get routes() {
      return z.array(route).max(200).optional().describe('tried in order; the first that matches is used');
    },
  })
  .describe('which alerts go to which receiver');

/** A receivers file, as parsed from YAML. */
export const receiversFileSchema = z
  .strictObject({
    link: z
      .string()
      .refine((text) => /^https?:$/.test(URL.parse(text)?.protocol ?? ''), {
        message: 'is not an http or https URL',
      })
      .optional()
      .describe('the URL of the console, as people reach it; messages link to it'),
    receivers: z.array(receiverSchema).min(1).max(200),
    routes: z.array(route).min(1).max(200).describe('tried in order; the first that matches is used'),
  })
  .describe('Receivers of alerts of Logloom (docs/receivers.md)');

export type ReceiversText = z.infer<typeof receiversFileSchema>;

/** The JSON schema of the file, for editors; receivers.schema.json is generated from it. */
export function receiversJsonSchema(): object {
  return { ...z.toJSONSchema(receiversFileSchema), title: 'Logloom receivers' };
}
