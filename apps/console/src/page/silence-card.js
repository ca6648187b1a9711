import { sendJson } from './api.js';
import { element } from './dom.js';
import { formatDateTime } from './format.js';

/**
 * A silence as the server sends it.
 * @typedef {object} Silence
 * @property {string} id
 * @property {'active' | 'pending' | 'expired'} state
 * @property {string[]} matchers
 * @property {string} startsAt
 * @property {string} [endsAt]
 * @property {{ days: string[], from: string, to: string }[]} [windows]
 * @property {string} [timeZone]
 * @property {string} reason
 * @property {string} author
 * @property {string} [endedBy]
 */

/** @param {Silence} silence @param {() => void} onChange */
export function silenceCard(silence, onChange) {
  const { id, state, matchers, startsAt, endsAt, windows = [], timeZone, reason, author, endedBy } = silence;
  const times = [
    `from ${formatDateTime(startsAt)}`,
    endsAt === undefined ? 'until somebody ends it' : `to ${formatDateTime(endsAt)}`,
    ...windows.map(({ days, from, to }) => `${days.join(', ')} ${from}–${to} ${timeZone}`),
  ];
  const end = element(
    'button',
    {
      type: 'button',
      'data-testid': 'end-silence',
      onclick: async () => {
        end.disabled = true;
        await sendJson('DELETE', `silences/${encodeURIComponent(id)}`).finally(onChange);
      },
    },
    'End now',
  );
  return element(
    'article',
    { class: 'alert', role: 'listitem', 'data-state': state, 'data-testid': 'silence-card' },
    element(
      'header',
      {},
      element('span', { class: 'alert-state' }, state),
      element('h2', {}, matchers.join('  ')),
    ),
    element('p', {}, reason),
    element(
      'p',
      { class: 'alert-facts' },
      `${author} · ${times.join(' · ')}${endedBy === undefined ? '' : ` · ended by ${endedBy}`}`,
    ),
    state !== 'expired' && element('footer', {}, end),
  );
}
