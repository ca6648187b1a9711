import { durationMs } from '@logloom/schemas';
import type { RuleText } from '../rule-schema.ts';
import { windowOf } from './compile-window-rule.ts';
import type { Condition } from './condition.ts';

const dayMs = 86_400_000;

/** Whether a rule looks at many events or requests, not at those of one session. */
export function isWindowRule(rule: Partial<RuleText>): boolean {
  return rule.window !== undefined || rule.by !== undefined || rule.if !== undefined || rule.of !== undefined;
}

/** Contradictions between the parts of such a rule: the part, and the reason. */
export function* windowConflicts(
  rule: Partial<RuleText>,
  conditions: Readonly<Record<'if' | 'until', Condition | undefined>>,
): Generator<[string, string]> {
  const isSequence = rule.then !== undefined || rule.without !== undefined;
  if (rule.close !== undefined) yield ['close', 'close: a rule over many events closes no session'];
  if (rule.alert === false) yield ['alert', 'alert: a rule with `window` or `by` always raises an alert'];
  for (const key of ['count', 'distinct'] as const)
    if (rule[key] !== undefined)
      yield [
        key,
        `${key}: with \`window\`, write \`if: ${key === 'count' ? 'count >= 3' : 'distinct(service) >= 2'}\``,
      ];
  if (new Set(rule.by).size < (Array.isArray(rule.by) ? rule.by.length : 0))
    yield ['by', 'by: a field is named twice'];
  if (Array.isArray(rule.by) && rule.by.includes('message'))
    yield ['by', 'by: the message is not a field; `new(pattern)` tells messages apart by their template'];
  if (isSequence) {
    if (rule.then !== undefined && rule.without !== undefined)
      yield ['without', 'without: a rule has `then` or `without`, not both'];
    if (rule.within === undefined)
      yield [rule.then === undefined ? 'without' : 'then', 'within: `within` must say how long to wait'];
    else if (durationMs(rule.within) > dayMs) yield ['within', 'within: at most 24h'];
    else if (durationMs(rule.within) % 1000 !== 0) yield ['within', 'within: with `by`, whole seconds'];
    if (rule.times !== undefined && rule.without !== undefined)
      yield ['times', 'times: it belongs to `then`'];
    for (const key of ['if', 'until', 'for', 'window'] as const)
      if (rule[key] !== undefined)
        yield [key, `${key}: a rule with \`then\` or \`without\` has none; its time is \`within\``];
    return;
  }
  for (const key of ['within', 'times'] as const)
    if (rule[key] !== undefined) yield [key, `${key}: it belongs to \`then\`, which this rule does not have`];
  if (rule.resolve !== undefined) yield ['resolve', 'resolve: `until` says when this alert is resolved'];
  if (rule.if === undefined) yield ['if', 'if: it must say when the rule fires, for example `count >= 100`'];
  if (rule.window === undefined) yield ['window', 'window: it must say the time that `if` looks at'];
  else yield* windowTimes(rule);
  const { if: condition, until } = conditions;
  const isNew = condition?.terms.some(({ type }) => type === 'new') === true;
  if (isNew && condition.terms.length > 1) yield ['if', 'if: `new` stands alone'];
  if (isNew && rule.until !== undefined)
    yield ['until', 'until: an alert of `new` is resolved after the window'];
  if (until?.terms.some(({ type }) => type === 'new') === true) yield ['until', 'until: `new` is for `if`'];
}

function* windowTimes(rule: Partial<RuleText>): Generator<[string, string]> {
  const windowMs = windowOf({ window: rule.window });
  if (Number.isNaN(windowMs)) return;
  if (windowMs > dayMs) yield ['window', 'window: at most 24h'];
  if (windowMs % 1000 !== 0) yield ['window', 'window: whole seconds'];
  if (typeof rule.for === 'string' && durationMs(rule.for) > 7 * dayMs) yield ['for', 'for: at most 7d'];
  if (typeof rule.window === 'object' && dayMs % windowMs !== 0)
    yield ['window', 'window: a tumbling window divides a day'];
}
