import { element } from './dom.js';
import { formatDuration, plural, rarity } from './format.js';
import { formatHash } from './location-state.js';

/**
 * What stands out in a request, as the server found it.
 * @typedef {object} Findings
 * @property {string} [severity]
 * @property {string[]} rules
 * @property {string} [rulesVersion]
 * @property {Record<string, string>} labels
 * @property {{ rare: boolean, sameShape: number, requests: number }} [anomaly]
 * @property {{ eventCount: number, id: string }[]} [parts]
 * @property {{ id: string, correlationId: string, shared: string[] }[]} related
 * @property {Summary} summary
 */

/**
 * @typedef {object} Summary
 * @property {{ service: string, message: string }} [firstError]
 * @property {{ ms: number, after: { service: string }, before: { service: string } }} [slowestGap]
 * @property {{ by: string, steps: { service: string, ms: number }[] }} criticalPath
 */

const maxSteps = 12;

/** The findings as facts of the header: a name and its content. @param {Findings} request @returns {[string, string | Node][]} */
export function requestFindings(request) {
  const { severity, rules, labels, anomaly, parts, related, summary } = request;
  const { firstError, slowestGap, criticalPath } = summary;
  /** @type {[string, string | Node][]} */
  const facts = [];
  if (parts !== undefined) {
    const each = parts.map(({ id, eventCount }) => `${id}: ${plural(eventCount, 'event')}`);
    facts.push(['written in', element('span', { title: each.join('\n') }, plural(parts.length, 'part'))]);
  }
  if (severity !== undefined)
    facts.push(['severity', element('span', { class: 'severity', 'data-severity': severity }, severity)]);
  if (rules.length > 0)
    facts.push(['rules', element('span', { title: `version ${request.rulesVersion}` }, rules.join(', '))]);
  const labelTexts = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  if (labelTexts.length > 0) facts.push(['labels', labelTexts.join(' ')]);
  if (anomaly?.rare === true) {
    facts.push(['rare', rarity(anomaly)]);
  }
  if (firstError !== undefined) facts.push(['first error', `${firstError.service}: ${firstError.message}`]);
  if (slowestGap !== undefined) {
    const { ms, after, before } = slowestGap;
    facts.push(['longest gap', `${formatDuration(ms)}, ${after.service} → ${before.service}`]);
  }
  if (criticalPath.steps.length > 1) {
    const steps = criticalPath.steps.slice(0, maxSteps).map((s) => `${s.service} ${formatDuration(s.ms)}`);
    const more = criticalPath.steps.length > maxSteps ? ' → …' : '';
    facts.push([criticalPath.by === 'spans' ? 'critical path' : 'path', steps.join(' → ') + more]);
  }
  if (related.length > 0) facts.push(['related', element('span', {}, ...related.flatMap(relatedLink))]);
  return facts;
}

/** @param {{ id: string, correlationId: string, shared: string[] }} other @param {number} i */
function relatedLink({ id, correlationId, shared }, i) {
  const link = element(
    'a',
    { href: formatHash('requests', { id }), title: `by ${shared.join(', ')}` },
    correlationId,
  );
  return i === 0 ? [link] : [', ', link];
}
