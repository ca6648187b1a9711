import { ApiError, getJson } from './api.js';
import { element } from './dom.js';
import { filterTerm, narrowFilter } from './filter-text.js';
import { formatCount, formatDuration, plural } from './format.js';
import { formatHash } from './location-state.js';
import { boundsOf } from './time-range.js';

/**
 * @typedef {{ requests: number, errors: number, rate: number, p50: number, p95: number, p99: number }} Figures
 * @typedef {Figures & { key: { shape?: string, service?: string }, latest: { id: string, services: string[], name?: string } }} Group
 * @typedef {'requests' | 'errors' | 'p50' | 'p95' | 'p99'} Column
 */

/** @type {[Column, string][]} */
const columns = [
  ['requests', 'Requests'],
  ['errors', 'Errors'],
  ['p50', 'p50'],
  ['p95', 'p95'],
  ['p99', 'p99'],
];
const limit = 100;

/** Requests by shape or service: how many, with which durations and errors. A click on a column's head sorts by it. */
export class RequestGroups {
  #filterBox;
  #abort = new AbortController();
  /** @type {Group[]} */ #groups = [];
  /** @type {Column} */ #sortedBy = 'requests';
  /** @type {Record<string, string>} */ #parameters = {};
  #summary = element('p', { class: 'muted', role: 'status', 'data-testid': 'groups-summary' });
  #body = element('tbody');
  #head = element('tr');
  element = element(
    'div',
    { class: 'groups' },
    this.#summary,
    element('table', { 'data-testid': 'request-groups' }, element('thead', {}, this.#head), this.#body),
  );

  /** @param {import('./filter-box.js').FilterBox} filterBox */
  constructor(filterBox) {
    this.#filterBox = filterBox;
  }

  cancel() {
    this.#abort.abort();
  }

  /** @param {Record<string, string>} parameters @param {string} q */
  async show(parameters, q) {
    this.#parameters = parameters;
    this.#abort.abort();
    const { signal } = (this.#abort = new AbortController());
    const by = parameters['by'];
    try {
      const query = { q, by, limit, ...boundsOf(parameters, Date.now()) };
      const found = await getJson('requests/summary', query, signal);
      this.#filterBox.clearError();
      this.#groups = found.groups;
      const { all, complete, otherGroups, without } = found;
      const parts = [
        `${complete ? '' : 'the latest '}${plural(all.requests, 'request')}, ${rateText(all.rate)}`,
        plural(all.errors, 'with errors', 'with errors'),
        `half within ${formatDuration(all.p50)}, 95 % within ${formatDuration(all.p95)}`,
        otherGroups > 0 ? `${formatCount(otherGroups)} more ${by === 'shape' ? 'shapes' : 'services'}` : '',
        without > 0 ? `${formatCount(without)} without a ${by}` : '',
      ];
      this.#summary.textContent =
        all.requests === 0
          ? 'No requests in this time match'
          : parts.filter((part) => part !== '').join(' · ');
      this.#draw();
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      this.#filterBox.showError(
        error,
        this.#groups.length > 0 ? 'Below are the previous results.' : undefined,
      );
    }
  }

  #draw() {
    const isShape = this.#parameters['by'] === 'shape';
    this.#head.replaceChildren(
      element('th', { scope: 'col' }, isShape ? 'Shape' : 'Service'),
      ...columns.map(([name, label]) =>
        element(
          'th',
          { scope: 'col', class: 'number', 'aria-sort': name === this.#sortedBy ? 'descending' : 'none' },
          element('button', { type: 'button', onclick: () => this.#sort(name) }, label),
        ),
      ),
      element('th', { scope: 'col' }, 'Latest'),
    );
    const sorted = [...this.#groups].sort((a, b) => b[this.#sortedBy] - a[this.#sortedBy]);
    this.#body.replaceChildren(...sorted.map((group) => this.#row(group)));
  }

  /** @param {Group} group */
  #row({ key, latest, requests, errors, p50, p95, p99 }) {
    const [field, value] = key.shape === undefined ? ['service', key.service] : ['shape', key.shape];
    // Whoever sees only a part of the requests has other shapes than the documents.
    const searchable = field === 'service' || /^[0-9a-f]{16}$/.test(value ?? '');
    const name = field === 'service' ? value : (latest.name ?? value);
    const label = [
      element('b', {}, name ?? ''),
      element('small', {}, field === 'service' ? '' : ` ${latest.services.join(' → ')}`),
    ];
    const { q = '' } = this.#parameters;
    const href = formatHash('requests', {
      ...this.#parameters,
      by: '',
      q: narrowFilter(q, filterTerm(field, value)),
    });
    return element(
      'tr',
      { 'data-testid': 'group-row', 'data-level': errors > 0 ? 'error' : 'info' },
      element(
        'td',
        { class: 'what' },
        searchable ? element('a', { href }, ...label) : element('span', {}, ...label),
      ),
      element('td', { class: 'number' }, formatCount(requests)),
      element(
        'td',
        { class: 'number errors' },
        errors === 0
          ? '–'
          : `${formatCount(errors)} (${Math.max(1, Math.round((100 * errors) / requests))} %)`,
      ),
      ...[p50, p95, p99].map((ms) => element('td', { class: 'number' }, formatDuration(ms))),
      element('td', {}, element('a', { href: formatHash('requests', { id: latest.id }) }, 'open')),
    );
  }

  /** @param {Column} column */
  #sort(column) {
    this.#sortedBy = column;
    this.#draw();
  }
}

/** @type {[number, string][]} */
const units = [
  [1, 'second'],
  [60, 'minute'],
  [3600, 'hour'],
  [86_400, 'day'],
];

/** In the shortest unit with at least one. @param {number} rate a second */
function rateText(rate) {
  const [seconds, unit] = units.find(([length]) => rate * length >= 1) ?? [86_400, 'day'];
  return `${formatCount(Math.round(rate * seconds * 10) / 10)} a ${unit}`;
}
