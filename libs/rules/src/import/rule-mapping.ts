import { fieldOf, keywordFields } from '@logloom/filter';
import { parse } from 'yaml';
import { z } from 'zod';
import { ingestedFields } from './ingested-fields.ts';
import { isOfRequestsAlone } from '../window/request-fields.ts';

const mappingSchema = z
  .strictObject({
    fields: z
      .record(z.string(), z.string().min(1).max(256))
      .default({})
      .describe("Logloom's field by that of Sigma, or by the label of Loki"),
    logsources: z
      .array(
        z.strictObject({
          category: z.string().optional(),
          product: z.string().optional(),
          service: z.string().optional(),
          filter: z.string().min(1).describe('the events of that source'),
        }),
      )
      .default([])
      .describe('which events a log source of Sigma is'),
  })
  .describe('how names of other systems are called here');

/** How fields, labels and log sources of other systems are called here. */
export type RuleMapping = z.infer<typeof mappingSchema>;

export type MappingResult = { ok: true; mapping: RuleMapping } | { ok: false; message: string };

/** Reads a mapping file, YAML. Never throws. */
export function parseMapping(text: string): MappingResult {
  try {
    const parsed = mappingSchema.safeParse(parse(text));
    if (parsed.success) return { ok: true, mapping: parsed.data };
    const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    return { ok: false, message: problems.join('; ') };
  } catch (error) {
    return { ok: false, message: (error as Error).message };
  }
}

export const noMapping: RuleMapping = { fields: {}, logsources: [] };

/** Where Sigma's names mean what Logloom has under its own, or what its reader of access logs makes. docs/rules.md lists them. */
export const sigmaFields: Readonly<Record<string, string>> = {
  ...ingestedFields,
  Computer: 'host',
  ComputerName: 'host',
  Hostname: 'host',
  Message: 'message',
  'c-ip': 'client.address',
  'cs-method': 'http.request.method',
  'cs-uri': 'url.original',
  'cs-user-agent': 'user_agent.original',
  'c-useragent': 'user_agent.original',
  'sc-status': 'http.response.status_code',
};

/** Programs whose name is Sigma's service; syslog's program is the service here. */
export const sigmaLogsources: RuleMapping['logsources'] = ['sshd', 'sudo', 'cron', 'vsftpd'].map(
  (service) => ({ product: 'linux', service, filter: `service:${service}` }),
);

/** Labels that become a field when they are pushed to Logloom as to Loki. */
export const lokiFields: Readonly<Record<string, string>> = {
  ...ingestedFields,
  detected_level: 'level',
  host_name: 'host',
};

/** Logloom's own, which no sender gives: of other systems, an attribute is meant. */
const ownFields: ReadonlySet<string> = new Set(['id', 'partition', 'offset']);

const fieldsOfEvents = ['level', 'message', 'timestamp', ...keywordFields];

/** The field of that name, spelled so that no field of Logloom's own is meant by chance. */
export function fieldNamed(
  name: string,
  mapping: Readonly<Record<string, string>>,
  builtin: Readonly<Record<string, string>>,
): string {
  const given = own(mapping, name) ?? own(builtin, name);
  if (given !== undefined) return given;
  if (ownFields.has(name)) return `attributes.${name}`;
  if (fieldOf(name).type !== 'attribute' || name.startsWith('attributes.')) return name;
  const folded = name.toLowerCase().replaceAll('_', '');
  const isDoubtful =
    isOfRequestsAlone(name) || fieldsOfEvents.some((field) => field.toLowerCase() === folded);
  return isDoubtful ? `attributes.${name}` : name;
}

function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
