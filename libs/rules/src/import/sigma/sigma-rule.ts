import { z } from 'zod';

const names = z.union([z.string(), z.array(z.string())]).transform((given) => [given].flat());
/** YAML's null is like a missing key. */
const optional = <T>(schema: z.ZodType<T>) => schema.nullish().transform((value) => value ?? undefined);
const text = optional(z.string());
const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);

const about = {
  title: z.string(),
  id: z.string().optional(),
  name: z.string().optional(),
  description: text,
  author: optional(z.union([z.string(), z.array(z.string())])),
  level: text,
  tags: optional(z.array(z.string())),
};

const logsource = z.looseObject({
  category: text,
  product: text,
  service: text,
});

/** A rule of Sigma: a detection, in the form of the specification 1 or 2. */
export const sigmaRuleSchema = z.looseObject({
  ...about,
  logsource,
  detection: z.looseObject({
    condition: names,
    timeframe: z.string().optional(),
  }),
});

/** A correlation of Sigma 2. */
export const sigmaCorrelationSchema = z.looseObject({
  ...about,
  correlation: z.looseObject({
    type: z.string(),
    rules: names.optional(),
    'group-by': names.optional(),
    timespan: z.string(),
    condition: z.union([z.string(), z.record(z.string(), scalar)]).optional(),
    aliases: z.unknown().optional(),
    generate: z.boolean().optional(),
  }),
});

export type SigmaRule = z.infer<typeof sigmaRuleSchema>;
export type SigmaCorrelation = z.infer<typeof sigmaCorrelationSchema>;
