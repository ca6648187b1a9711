import { z } from 'zod';

const texts = z.record(z.string(), z.coerce.string()).nullish();
const time = z.coerce.string().nullish();

const rule = z.looseObject({
  alert: z.string().optional(),
  record: z.string().optional(),
  expr: z.coerce.string(),
  for: time,
  keep_firing_for: time,
  labels: texts,
  annotations: texts,
});

const groups = z.array(z.looseObject({ name: z.string().optional(), labels: texts, rules: z.array(rule) }));

/** Rules of a ruler: a file of Prometheus or Loki, or a PrometheusRule of Kubernetes. */
export const rulerFileSchema = z.union([
  z.looseObject({ groups }).transform((file) => file.groups),
  z.looseObject({ spec: z.looseObject({ groups }) }).transform((file) => file.spec.groups),
]);

export type RulerRule = z.infer<typeof rule>;
