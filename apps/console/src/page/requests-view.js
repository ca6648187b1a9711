import { byId } from './dom.js';
import { RequestList } from './request-list.js';
import { RequestPage } from './request-page.js';

/** Requests: the recent ones, or the one that the URL selects. */
export class RequestsView {
  #box = byId('view-requests');
  #list;
  #page;

  /** @param {{ filterBox: import('./filter-box.js').FilterBox, showDetails: (event: import('./event-row.js').LogEvent, row?: HTMLElement) => void }} shared */
  constructor(shared) {
    this.#list = new RequestList(shared.filterBox);
    this.#page = new RequestPage(shared.showDetails);
  }

  placeholder() {
    return 'Filter requests, e.g.  errorCount:>0 AND service:checkout';
  }

  /** @param {Record<string, string>} parameters */
  show(parameters) {
    const { id, correlation } = parameters;
    const one = id !== undefined || correlation !== undefined;
    const content = one ? this.#page.element : this.#list.element;
    if (content.parentElement !== this.#box) this.#box.replaceChildren(content);
    if (id !== undefined) void this.#page.showDocument(id);
    else if (correlation !== undefined) void this.#page.showCorrelation(correlation);
    else void this.#list.show(parameters);
  }

  hide() {
    this.#page.cancel();
  }
}
