import { getJson } from './api.js';
import { element } from './dom.js';
import { filterTerm } from './filter-text.js';
import { formatCount } from './format.js';

const fields = ['level', 'service', 'host'];
const limit = 8;

/**
 * The most frequent values of the fields that people look at first; a click narrows the filter.
 * @param {HTMLElement} box
 * @param {Record<string, string | number | undefined>} query what is searched: q, from, to
 * @param {(term: string) => void} filterBy
 * @param {AbortSignal} signal
 */
export async function showFacets(box, query, filterBy, signal) {
  const answers = await Promise.all(
    fields.map((field) => getJson('fields', { ...query, field, limit }, signal)),
  );
  box.replaceChildren(
    ...answers.filter((answer) => answer.values.length > 0).map((answer) => facet(answer, filterBy)),
  );
}

/** @param {{ field: string, values: { value: unknown, count: number }[], other: number, missing: number }} answer @param {(term: string) => void} filterBy */
function facet({ field, values, other, missing }, filterBy) {
  const most = Math.max(1, ...values.map(({ count }) => count));
  const list = element('ul', {});
  for (const { value, count } of values) {
    const bar = element('i', { class: 'share', 'aria-hidden': 'true' });
    bar.style.width = `${(100 * count) / most}%`;
    const term = filterTerm(field, value);
    list.append(
      element(
        'li',
        {},
        element(
          'button',
          {
            type: 'button',
            title: `Add ${term} to the filter`,
            'data-testid': 'facet-value',
            onclick: () => filterBy(term),
          },
          bar,
          element(
            'span',
            field === 'level' ? { class: 'level', 'data-level': value } : { class: 'name' },
            String(value),
          ),
          element('span', { class: 'count' }, formatCount(count)),
        ),
      ),
    );
  }
  const rest = [
    other > 0 ? `${formatCount(other)} in others` : '',
    missing > 0 ? `${formatCount(missing)} without` : '',
  ].filter((text) => text !== '');
  return element(
    'section',
    { 'data-field': field },
    element('h2', {}, field),
    list,
    rest.length > 0 && element('p', { class: 'muted' }, rest.join(' · ')),
  );
}
