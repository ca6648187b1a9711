import { ApiError, getJson } from './api.js';
import { element } from './dom.js';
import { eventColumns, eventOf, eventRow, openRows } from './event-row.js';
import { filterTerm } from './filter-text.js';
import { formatCount, formatDateTime, formatDuration, levels, microsOf, plural } from './format.js';
import { requestFindings } from './request-findings.js';
import { requestSummary } from './request-summary.js';
import { startedRequestRow } from './request-row.js';
import { Timeline } from './timeline.js';

/** @typedef {import('./event-row.js').LogEvent} LogEvent */

const closeReasons = /** @type {Record<string, string>} */ ({
  rule: 'closed by a rule',
  idle: 'closed when idle',
  max: 'closed at the maximum duration',
  size: 'closed at the maximum number of events',
  evicted: 'closed early, for memory',
});
const openEventsLimit = 500;
const eventsPerPage = 1_000;

/** One request: what it was, its timeline, its events. */
export class RequestPage {
  #abort = new AbortController();
  #shown = '';
  /** @type {Map<string, HTMLElement>} */ #rows = new Map();
  #head = element('div', { class: 'request-head', 'data-testid': 'request-head' });
  #summary = element('div', { class: 'request-summary', 'data-testid': 'request-summary' });
  #chart = element('div', { class: 'chart timeline', 'data-testid': 'timeline' });
  #list = element('div', {
    class: 'list natural',
    role: 'list',
    tabindex: '0',
    'aria-label': 'Events of the request',
    'data-testid': 'request-events',
  });
  #columns = element('div', { class: 'columns event-columns', 'aria-hidden': 'true' }, ...eventColumns());
  #more = element('button', { type: 'button', class: 'more', 'data-testid': 'more-events', hidden: '' });
  /** @type {LogEvent[]} */ #events = [];
  #timeline;
  element = element(
    'div',
    { class: 'fill scrolls' },
    element('a', { class: 'back', href: '#requests' }, '← All requests'),
    this.#head,
    this.#summary,
    this.#chart,
    this.#columns,
    this.#list,
    this.#more,
  );

  /** @param {(event: LogEvent, row?: HTMLElement) => void} showDetails */
  constructor(showDetails) {
    openRows(this.#list, showDetails);
    this.#timeline = new Timeline(
      this.#chart,
      (event) => this.#highlight(event),
      (event) => showDetails(event, this.#rows.get(event.id)),
    );
    /** @param {Event} pointed */
    const point = (pointed) => {
      const row = /** @type {Element} */ (pointed.target).closest('.row');
      this.#timeline.highlight(row === null ? undefined : eventOf(row)?.id);
    };
    this.#list.addEventListener('pointerover', point);
    this.#list.addEventListener('focusin', point);
    this.#list.addEventListener('pointerleave', () => this.#timeline.highlight(undefined));
  }

  cancel() {
    this.#abort.abort();
    this.#shown = '';
  }

  /** @param {string} id of the document */
  async showDocument(id) {
    await this.#load(`id ${id}`, (signal) => this.#document(id, signal));
  }

  /**
   * The request with a correlation id from an event: its document, or the events so far if it is still open. @param {string} correlationId
   */
  async showCorrelation(correlationId) {
    await this.#load(`correlation ${correlationId}`, async (signal) => {
      const q = filterTerm('correlationId', correlationId);
      const found = await getJson('correlations', { q, limit: 20 }, signal);
      if (found.correlations.length > 0) {
        const request = await this.#get(correlationId, undefined, signal);
        const parts = new Set(
          (request.parts ?? [request]).map((/** @type {{ id: string }} */ part) => part.id),
        );
        if (found.correlations.every((/** @type {{ id: string }} */ each) => parts.has(each.id)))
          return this.#showRequest(request, correlationId);
        const count = found.correlations.length;
        this.#showHead(`${plural(count, 'request')} with this id`, correlationId, [], []);
        this.#list.replaceChildren(...found.correlations.map(startedRequestRow));
        this.#timeline.show([]);
        this.#columns.hidden = true;
        this.#more.hidden = true;
        return;
      }
      const open = await getJson('search', { q, order: 'asc', limit: openEventsLimit }, signal);
      this.#showOpen(correlationId, open.events);
    });
  }

  /** @param {string} key @param {(signal: AbortSignal) => Promise<void>} load */
  async #load(key, load) {
    if (this.#shown === key) return;
    this.#abort.abort();
    const { signal } = (this.#abort = new AbortController());
    this.#shown = key;
    try {
      await load(signal);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      this.#shown = '';
      this.#showHead('Not found', error.message, [], []);
      this.#showEvents([]);
    }
  }

  /** @param {string} id @param {AbortSignal} signal */
  async #document(id, signal) {
    this.#showRequest(await this.#get(id, undefined, signal), id);
  }

  /**
   * A page of a request; the first has what is known about the whole.
   * @param {string} id @param {string | undefined} cursor @param {AbortSignal} signal
   */
  #get(id, cursor, signal) {
    return getJson(`correlations/${encodeURIComponent(id)}`, { limit: eventsPerPage, cursor }, signal);
  }

  /** @param {any} request @param {string} id under which it was got */
  #showRequest(request, id) {
    const counts = levels
      .filter((level) => (request.levels[level] ?? 0) > 0)
      .reverse()
      .map((level) =>
        element(
          'span',
          { class: 'level', 'data-level': level },
          `${level} ${formatCount(request.levels[level])}`,
        ),
      );
    /** @type {[string, string | Node][]} */
    const facts = [
      ['duration', formatDuration(request.durationMs)],
      ['events', formatCount(request.eventCount)],
      ['levels', element('span', { class: 'level-counts' }, ...counts)],
      ['started', formatDateTime(request.firstAt)],
      // A user who sees only a part of it does not get the close reason.
      .../** @type {[string, string][]} */ (
        request.closeReason === undefined
          ? []
          : [['end', closeReasons[request.closeReason] ?? request.closeReason]]
      ),
      ['revision', String(request.revision)],
    ];
    facts.push(...requestFindings(request));
    facts.push(['document', request.id]);
    this.#showHead(request.kind, request.correlationId, request.services, facts);
    this.#summary.replaceChildren(
      ...requestSummary(request.summary, request.eventCount, (eventId) => this.#reveal(eventId)),
    );
    this.#showEvents(request.events);
    this.#offerMore(id, request.eventCount, request.next);
  }

  /** @param {string} id @param {number} count @param {string | undefined} cursor */
  #offerMore(id, count, cursor) {
    this.#more.hidden = cursor === undefined;
    if (cursor === undefined) return;
    this.#more.textContent = `Show more of ${plural(count, 'event')}`;
    this.#more.onclick = async () => {
      const { signal } = this.#abort;
      this.#more.disabled = true;
      try {
        const page = await this.#get(id, cursor, signal);
        this.#showEvents([...this.#events, ...page.events]);
        this.#offerMore(id, count, page.next);
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (!signal.aborted) this.#more.textContent = `${error.message}. Try again`;
      } finally {
        this.#more.disabled = false;
      }
    };
  }

  /** @param {string} correlationId @param {LogEvent[]} events */
  #showOpen(correlationId, events) {
    const services = [...new Set(events.map((event) => event.service))];
    const first = events[0];
    const last = events.at(-1);
    /** @type {[string, string][]} */
    const facts =
      first === undefined || last === undefined
        ? [['state', 'no events are stored with this id']]
        : [
            ['state', 'still open: its document appears a few seconds after the last event'],
            ['so far', formatDuration((microsOf(last.timestamp) - microsOf(first.timestamp)) / 1000)],
            ['events', formatCount(events.length)],
          ];
    this.#showHead('correlation', correlationId, services, facts);
    this.#showEvents(events);
  }

  /** @param {string} kind @param {string} id @param {string[]} services @param {[string, string | Node][]} facts */
  #showHead(kind, id, services, facts) {
    this.#summary.replaceChildren();
    this.#head.replaceChildren(
      element('h1', {}, element('small', {}, kind), element('span', {}, id)),
      element('p', { class: 'service-chips' }, ...services.map((service) => element('span', {}, service))),
      element(
        'dl',
        { class: 'facts' },
        ...facts.map(([name, value]) =>
          element('div', {}, element('dt', {}, name), element('dd', {}, value)),
        ),
      ),
    );
  }

  /** @param {LogEvent[]} events */
  #showEvents(events) {
    this.#events = events;
    this.#more.hidden = true;
    this.#columns.hidden = events.length === 0;
    this.#rows = new Map(events.map((event) => [event.id, eventRow(event)]));
    this.#list.replaceChildren(...this.#rows.values());
    this.#timeline.show(events);
  }

  /** Shows an event of the request, if its page was loaded. @param {string} eventId */
  #reveal(eventId) {
    const row = this.#rows.get(eventId);
    if (row === undefined) return;
    const event = eventOf(row);
    this.#highlight(event);
    this.#timeline.highlight(event?.id);
    row.scrollIntoView({ block: 'center' });
  }

  /** @param {LogEvent | undefined} event */
  #highlight(event) {
    for (const row of this.#list.querySelectorAll('.highlight')) row.classList.remove('highlight');
    if (event !== undefined) this.#rows.get(event.id)?.classList.add('highlight');
  }
}
