/** Rows of the live stream that are not events: gaps, and how much the server sends. */
import { element } from './dom.js';
import { formatClock, formatCount, levels, plural } from './format.js';

/** @param {string} title @param {string} text @param {Record<string, string>} [attributes] */
export function noteRow(title, text, attributes = {}) {
  return element(
    'div',
    { class: 'row note-row', tabindex: '-1', role: 'listitem', 'data-testid': 'note-row', ...attributes },
    element('time', { class: 'time' }, formatClock(new Date().toISOString())),
    element('strong', {}, title),
    element('span', { class: 'note-text' }, text),
  );
}

/** @param {import('./viewer/src/index.js').Gap} gap */
export function gapRow(gap) {
  return noteRow(`Gap: ${plural(gap.missed, 'event')} not sent`, gap.reason, {
    'data-testid': 'gap-row',
    'data-missed': String(gap.missed),
    class: 'row note-row gap',
    title: `from ${gap.from} to ${gap.to}`,
  });
}

const modeTitles = {
  full: 'Every event again',
  sampled: 'Samples only: this viewer is too slow for the whole stream',
  counts: 'Counts only: this viewer is too slow for the stream',
};

/** Mode messages repeat while a mode lasts; their counts go into one row. */
export class ModeRows {
  /** @type {'full' | 'sampled' | 'counts'} */ current = 'full';
  /** @type {Record<string, number>} */ #counts = {};
  /** @type {HTMLElement | undefined} */ #row;

  /** @param {import('./viewer/src/index.js').Mode} mode @returns {(() => HTMLElement) | undefined} makes the new row, when it needs one */
  add(mode) {
    const changed = mode.mode !== this.current;
    if (changed) {
      this.#counts = {};
      this.#row = undefined;
      this.current = mode.mode;
    }
    for (const [level, count] of Object.entries(mode.counts ?? {})) {
      this.#counts[level] = (this.#counts[level] ?? 0) + count;
    }
    const text = this.#row?.querySelector('.note-text');
    if (text) text.textContent = describe(this.#counts);
    if (!changed) return undefined;
    const title = modeTitles[mode.mode] ?? mode.mode;
    const counts = this.#counts;
    return () =>
      (this.#row = noteRow(title, describe(counts), {
        'data-testid': 'mode-row',
        class: 'row note-row mode',
      }));
  }
}

/** @param {Record<string, number>} counts */
function describe(counts) {
  return levels
    .filter((level) => (counts[level] ?? 0) > 0)
    .map((level) => `${level} ${formatCount(counts[level] ?? 0)}`)
    .join(' · ');
}
