import { element } from './dom.js';
import { formatDuration, plural } from './format.js';
import { pathTree } from './path-tree.js';

/**
 * What stands out in a request, as the server found it.
 * @typedef {object} Summary
 * @property {number} events of which it is made
 * @property {ErrorLine & { by: string, consequences: ErrorLine[] }} [firstError]
 * @property {SlowStep[]} slowest
 * @property {import('./path-tree.js').Path} path
 */

/** @typedef {{ id: string, service: string, message: string }} Line */
/** @typedef {Line & { cause?: string }} ErrorLine */
/** @typedef {Line & { name: string }} GapEnd */
/**
 * @typedef {{ by: 'self', ms: number, share: number, service: string, name: string, count: number }
 *   | { by: 'gap', ms: number, share: number, after: GapEnd, before: GapEnd, acrossHosts: boolean }} SlowStep
 */

const reasons = /** @type {Record<string, string>} */ ({
  causes: 'The other errors name, repeat or wrap it',
  spans: 'It is in the deepest span that failed',
  time: 'It has the earliest time',
});

/**
 * The panels of a request: its first error, its slowest steps, its path.
 * @param {Summary} summary @param {number} eventCount of the whole request @param {(eventId: string) => void} reveal
 * @returns {HTMLElement[]}
 */
export function requestSummary(summary, eventCount, reveal) {
  const { events, firstError, slowest, path } = summary;
  const partial =
    events < eventCount && element('p', { class: 'muted' }, `Of the first ${plural(events, 'event')}.`);
  const panels = [];
  if (firstError !== undefined) panels.push(firstErrorPanel(firstError, reveal));
  if (slowest.length > 0) {
    const steps = element('ol', { class: 'slowest' }, ...slowest.map((step) => slowStep(step, reveal)));
    panels.push(panel('slowest', 'Slowest steps', steps, partial));
  }
  const tree = pathTree(path);
  if (tree !== undefined) panels.push(panel('path', path.by === 'spans' ? 'Path' : 'Services in turn', tree));
  return panels;
}

/** @param {string} name @param {string} title @param {...(Node | false)} content */
function panel(name, title, ...content) {
  return element(
    'section',
    { class: `panel ${name}`, 'data-testid': `summary-${name}` },
    element('h2', {}, title),
    ...content,
  );
}

/** @param {NonNullable<Summary['firstError']>} error @param {(eventId: string) => void} reveal */
function firstErrorPanel(error, reveal) {
  const { by, consequences } = error;
  const followed = consequences.map((line) => element('li', {}, lineButton(line, reveal, line.cause)));
  return panel(
    'first-error',
    'First error',
    element('p', { class: 'error-line', title: reasons[by] ?? '' }, lineButton(error, reveal, error.cause)),
    followed.length > 0 && element('p', { class: 'muted' }, 'followed by'),
    followed.length > 0 && element('ul', { class: 'followed' }, ...followed),
  );
}

/** @param {Line} line @param {(eventId: string) => void} reveal @param {string} [text] in place of the message @param {string} [before] what stands before it */
function lineButton({ id, service, message }, reveal, text = message, before = '') {
  return element(
    'button',
    { type: 'button', class: 'line', title: message, onclick: () => reveal(id) },
    before,
    element('b', {}, service),
    ' ',
    text,
  );
}

/** @param {SlowStep} step @param {(eventId: string) => void} reveal */
function slowStep(step, reveal) {
  const bar = element('i', { class: 'share', 'aria-hidden': 'true' });
  bar.style.width = `${Math.min(100, 100 * step.share)}%`;
  const size = element(
    'span',
    { class: 'size' },
    `${formatDuration(step.ms)}, ${Math.round(100 * step.share)} %`,
  );
  if (step.by === 'self') {
    const { service, name, count } = step;
    const times = count === 1 ? '' : `${count} × `;
    const what = element(
      'span',
      { class: 'what', title: name },
      element('b', {}, times + service),
      ' ',
      name,
    );
    return element('li', {}, bar, size, what);
  }
  const { after, before, acrossHosts } = step;
  return element(
    'li',
    acrossHosts ? { title: 'Between two hosts: it contains the difference of their clocks' } : {},
    bar,
    size,
    element(
      'span',
      { class: 'what' },
      lineButton(after, reveal, after.name),
      lineButton(before, reveal, `${before.name}${acrossHosts ? ' (another host)' : ''}`, '→ '),
    ),
  );
}
