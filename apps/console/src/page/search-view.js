import { ApiError, getJson } from './api.js';
import { byId, element } from './dom.js';
import { searchHint } from './empty-hints.js';
import { eventColumns, eventRow, openRows } from './event-row.js';
import { showFacets } from './facets.js';
import { formatCount } from './format.js';
import { Histogram } from './histogram.js';
import { navigate } from './location-state.js';
import { boundsOf, defaultRange, inputValue, ranges } from './time-range.js';

const pageSize = 100;

/** Search of stored events: a histogram, top values, and the events. */
export class SearchView {
  #shared;
  #histogram;
  #list = byId('search-list');
  #range = /** @type {HTMLSelectElement} */ (byId('search-range'));
  #from = /** @type {HTMLInputElement} */ (byId('search-from'));
  #to = /** @type {HTMLInputElement} */ (byId('search-to'));
  /** @type {Record<string, string>} */ #parameters = {};
  /** @type {string | undefined} */ #searched;
  #abort = new AbortController();

  /** @param {{ filterBox: import('./filter-box.js').FilterBox, filterBy: (term: string) => void, showDetails: (event: import('./event-row.js').LogEvent, row: HTMLElement) => void }} shared */
  constructor(shared) {
    this.#shared = shared;
    this.#histogram = new Histogram(byId('histogram'), (from, to) =>
      this.#go({ range: 'custom', from: String(from), to: String(to) }),
    );
    openRows(this.#list, shared.showDetails);
    byId('search-columns').replaceChildren(...eventColumns());
    this.#range.append(...ranges.map(([name, label]) => element('option', { value: name }, label)));
    this.#range.addEventListener('change', () => this.#chooseRange());
    for (const input of [this.#from, this.#to]) input.addEventListener('change', () => this.#chooseBounds());
    byId('order-desc').addEventListener('click', () => this.#go({ order: '' }));
    byId('order-asc').addEventListener('click', () => this.#go({ order: 'asc' }));
    byId('search-again').addEventListener('click', () => void this.#search());
  }

  placeholder() {
    return 'Search, e.g.  level:error AND attributes.http.status:>=500';
  }

  /** @param {Record<string, string>} parameters */
  show(parameters) {
    this.#parameters = parameters;
    const range = parameters['range'] ?? defaultRange;
    this.#range.value = range;
    byId('search-custom').hidden = range !== 'custom';
    if (range === 'custom') {
      const bounds = boundsOf(parameters, Date.now());
      this.#from.value = inputValue(bounds.from);
      this.#to.value = inputValue(bounds.to);
    }
    byId('order-desc').setAttribute('aria-pressed', String(parameters['order'] !== 'asc'));
    byId('order-asc').setAttribute('aria-pressed', String(parameters['order'] === 'asc'));
    const key = JSON.stringify(parameters);
    if (key === this.#searched) return;
    this.#searched = key;
    void this.#search();
  }

  hide() {}

  /** @param {Record<string, string>} change */
  #go(change) {
    navigate('search', { ...this.#parameters, ...change });
  }

  #chooseRange() {
    if (this.#range.value !== 'custom') return this.#go({ range: this.#range.value, from: '', to: '' });
    const { from, to } = boundsOf(this.#parameters, Date.now());
    this.#go({ range: 'custom', from: String(from ?? ''), to: String(to ?? '') });
  }

  #chooseBounds() {
    const from = this.#from.value === '' ? '' : String(new Date(this.#from.value).getTime());
    const to = this.#to.value === '' ? '' : String(new Date(this.#to.value).getTime());
    this.#go({ range: 'custom', from, to });
  }

  async #search() {
    this.#abort.abort();
    const { signal } = (this.#abort = new AbortController());
    const bounds = boundsOf(this.#parameters, Date.now());
    const query = { q: this.#parameters['q'], ...bounds };
    const order = this.#parameters['order'] === 'asc' ? 'asc' : 'desc';
    const view = byId('view-search');
    view.setAttribute('aria-busy', 'true');
    try {
      const [found, histogram] = await Promise.all([
        getJson('search', { ...query, order, limit: pageSize, highlight: 'true' }, signal),
        getJson('histogram', { ...query, by: 'level' }, signal),
        showFacets(byId('facets'), query, this.#shared.filterBy, signal),
      ]);
      this.#shared.filterBox.clearError();
      const { from, to } = bounds;
      this.#histogram.show(histogram, from === undefined || to === undefined ? undefined : [from, to]);
      this.#showTotal(found.total);
      this.#list.replaceChildren();
      this.#list.scrollTop = 0;
      this.#append(found, { ...query, order, highlight: 'true' });
      const empty = byId('search-empty');
      empty.hidden = found.events.length > 0;
      if (!empty.hidden) empty.replaceChildren(...searchHint(this.#parameters));
    } catch (error) {
      if (signal.aborted) return;
      this.#searched = undefined;
      this.#fail(error);
    } finally {
      if (!signal.aborted) view.removeAttribute('aria-busy');
    }
  }

  /** @param {{ value: number, exact: boolean }} total */
  #showTotal(total) {
    const text = `${formatCount(total.value)}${total.exact ? '' : '+'} ${total.value === 1 ? 'event' : 'events'}`;
    byId('search-total').textContent = text;
    byId('search-total').title = total.exact ? 'the exact number' : 'at least this many';
  }

  /** @param {{ events: import('./event-row.js').LogEvent[], highlights: Record<string, import('./event-row.js').Highlights>, next?: string }} found @param {Record<string, string | number | undefined>} query */
  #append(found, query) {
    this.#list.append(...found.events.map((event) => eventRow(event, found.highlights[event.id])));
    if (found.next === undefined) return;
    const more = element(
      'button',
      {
        type: 'button',
        class: 'more',
        'data-testid': 'load-more',
        onclick: () => void this.#more(more, query, found.next ?? ''),
      },
      'Load more',
    );
    this.#list.append(more);
  }

  /** @param {HTMLButtonElement} button @param {Record<string, string | number | undefined>} query @param {string} cursor */
  async #more(button, query, cursor) {
    button.disabled = true;
    try {
      const found = await getJson('search', { ...query, limit: pageSize, cursor }, this.#abort.signal);
      button.remove();
      this.#append(found, query);
    } catch (error) {
      button.disabled = false;
      if (!this.#abort.signal.aborted) this.#fail(error);
    }
  }

  /** @param {unknown} error */
  #fail(error) {
    if (!(error instanceof ApiError)) throw error;
    const kept = this.#list.childElementCount > 0;
    this.#shared.filterBox.showError(error, kept ? 'Below are the previous results.' : undefined);
  }
}
