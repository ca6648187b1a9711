import { comparisonText } from './comparison-text.js';
import { element } from './dom.js';
import { plural } from './format.js';
import { formatHash } from './location-state.js';
import { requestAlerts } from './request-alerts.js';

/**
 * What stands out in a request, as the server found it.
 * @typedef {object} Findings
 * @property {string} correlationId
 * @property {string} [severity]
 * @property {string[]} rules
 * @property {string} [rulesVersion]
 * @property {Record<string, string>} labels
 * @property {import('./comparison-text.js').Comparison} [comparison]
 * @property {{ eventCount: number, id: string }[]} [parts]
 * @property {{ id: string, correlationId: string, shared: string[] }[]} related
 */

/** The findings as facts of the header: a name and its content. @param {Findings} request @returns {[string, string | Node][]} */
export function requestFindings(request) {
  const { severity, rules, labels, comparison, parts, related } = request;
  /** @type {[string, string | Node][]} */
  const facts = [];
  if (parts !== undefined) {
    const each = parts.map(({ id, eventCount }) => `${id}: ${plural(eventCount, 'event')}`);
    facts.push(['written in', element('span', { title: each.join('\n') }, plural(parts.length, 'part'))]);
  }
  if (severity !== undefined)
    facts.push(['severity', element('span', { class: 'severity', 'data-severity': severity }, severity)]);
  if (rules.length > 0)
    facts.push(
      ['rules', element('span', { title: `version ${request.rulesVersion}` }, rules.join(', '))],
      ['alerts', requestAlerts(request.correlationId)],
    );
  const labelTexts = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  if (labelTexts.length > 0) facts.push(['labels', labelTexts.join(' ')]);
  const compared = comparison && comparisonText(comparison);
  if (compared !== undefined) facts.push([comparison?.slow === true ? 'slow' : 'compared', compared]);
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
