import { element } from './dom.js';
import { formatDuration, microsOf, plural } from './format.js';

/**
 * @typedef {object} PathStep
 * @property {string} service
 * @property {string} name
 * @property {string} from
 * @property {string} to
 * @property {number} ms
 * @property {number} errors
 */

/** @typedef {PathStep & { depth: number, selfMs: number, count?: number, critical: boolean, movedMs?: number, omitted?: number }} PathSpan */
/** @typedef {{ by: 'spans', steps: PathSpan[], omitted: number } | { by: 'order', steps: PathStep[], omitted: number }} Path */

/** The way of a request: a tree of its spans, or its services in turn, each with its place in time. @param {Path} path @returns {HTMLElement | undefined} */
export function pathTree(path) {
  const { steps, omitted } = path;
  if (steps.length < 2) return undefined;
  const times = steps.flatMap(({ from, to }) => [microsOf(from), microsOf(to)]);
  const first = times.reduce((a, b) => Math.min(a, b));
  const whole = Math.max(1, times.reduce((a, b) => Math.max(a, b)) - first);
  const list = element('div', {
    class: 'path-tree',
    role: 'list',
    'aria-label': 'Path',
    tabindex: '0',
  });
  list.append(...steps.map((step) => pathRow(step, first, whole)));
  if (omitted > 0) list.append(element('p', { class: 'muted' }, `${plural(omitted, 'more step')} left out`));
  return list;
}

/** @param {PathStep | PathSpan} step @param {number} first when the request began, in µs @param {number} whole its duration */
function pathRow(step, first, whole) {
  const { service, name, from, to, ms, errors } = step;
  const span = 'selfMs' in step ? step : undefined;
  const depth = span?.depth ?? 0;
  const bar = element('i', { class: 'bar', 'aria-hidden': 'true' });
  bar.style.marginLeft = `${(100 * (microsOf(from) - first)) / whole}%`;
  bar.style.width = `${(100 * (microsOf(to) - microsOf(from))) / whole}%`;
  const moved =
    span?.movedMs === undefined
      ? ''
      : `\nMoved by ${formatDuration(span.movedMs)}: by its host's clock it began before the span that called it`;
  const label = element(
    'span',
    { class: 'label' },
    element('b', {}, `${span?.count === undefined ? '' : `${span.count} × `}${service}`),
    ' ',
    name,
    errors > 0 && element('span', { class: 'failed' }, ` ${plural(errors, 'error')}`),
    span?.omitted !== undefined &&
      element('span', { class: 'muted' }, ` ${plural(span.omitted, 'more', 'more')} below`),
  );
  label.style.paddingLeft = `${Math.min(depth, 20) * 14}px`;
  return element(
    'div',
    {
      class: span?.critical === true ? 'path-row critical' : 'path-row',
      role: 'listitem',
      'aria-level': span && depth + 1,
      'data-testid': 'path-row',
      'data-level': errors > 0 ? 'error' : 'info',
      title: `${service} ${name}${moved}`,
    },
    label,
    element('span', { class: 'bars' }, bar),
    element(
      'span',
      { class: 'duration' },
      span === undefined || span.selfMs === ms
        ? formatDuration(ms)
        : `${formatDuration(ms)}, self ${formatDuration(span.selfMs)}`,
    ),
  );
}
