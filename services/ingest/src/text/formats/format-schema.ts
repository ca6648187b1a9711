import { z } from 'zod';

export const maxFormats = 200;
export const maxFormatsBytes = 1_000_000;

const text = (most: number, what: string) => z.string().min(1).max(most).describe(what);
const oneOrMore = (most: number, what: string) =>
  z.union([text(most, what), z.array(text(most, what)).min(1).max(20)]).describe(what);

const format = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, {
      message: 'a name is 1 to 64 lower-case letters, digits, dots, underscores and hyphens',
    })
    .describe('what `formats list` and `formats try` call it; unique in the file'),
  description: text(500, 'what writes it').optional(),
  detect: oneOrMore(200, 'text that a line must contain; one of several').optional(),
  pattern: oneOrMore(4000, 'how a line is written; the first that fits of several'),
  time: oneOrMore(
    100,
    'the form of %{TIME}: iso8601, epoch, syslog, http, rfc2822, or as strptime has it, `%d.%m.%Y %H:%M:%S`; default: any known one',
  ).optional(),
  timezone: text(64, 'of times without a zone: Europe/Berlin, +02:00 or CET').optional(),
  service: text(256, 'the service of lines that name none').optional(),
  levels: z
    .record(z.string().min(1).max(64), z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']))
    .optional()
    .describe('the levels of words or signs of its own'),
  attributes: z
    .record(z.string().min(1).max(256), z.union([z.string().max(1000), z.number(), z.boolean()]))
    .optional()
    .describe('what each of its events gets'),
  message: z
    .enum(['rest', 'line'])
    .optional()
    .describe('rest: what is named message; line: the whole line stays the message. Default: rest'),
  multiline: z
    .enum(['traces', 'begins', 'none'])
    .optional()
    .describe(
      'begins: all lines up to the next that fits are one event; none: each line is one; default: traces, stack traces are joined',
    ),
  continues: text(4000, 'a pattern of lines that belong to the event above them').optional(),
  examples: z
    .array(text(10_000, 'a line that must fit'))
    .max(20)
    .optional()
    .describe('lines that must fit; checked when the file is read'),
});

export const formatsFileSchema = z.strictObject({
  formats: z.array(format).min(1).max(maxFormats),
});

export type FormatText = z.infer<typeof format>;
