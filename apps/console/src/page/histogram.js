import { dragRange } from './drag-range.js';
import { element, svgElement } from './dom.js';
import { formatCount, formatDateTime, levels } from './format.js';
import { timeTicks } from './time-axis.js';

/**
 * @typedef {{ timestamp: string, count: number, levels: Record<string, number> }} Bucket
 * @typedef {{ intervalMs: number, buckets: Bucket[] }} HistogramData
 */

const height = 104;
const axisHeight = 18;
const left = 44;
const right = 8;

/** Counts over time, stacked by level; hovering shows a bucket's counts; a click or a drag selects a time range. */
export class Histogram {
  #box;
  #select;
  /** @type {HistogramData | undefined} */ #data;
  /** @type {[number, number] | undefined} */ #bounds;
  #tip = element('div', { class: 'tip', hidden: true });

  /** @param {HTMLElement} box @param {(from: number, to: number) => void} select epoch ms, `to` exclusive */
  constructor(box, select) {
    this.#box = box;
    this.#select = select;
    new ResizeObserver(() => this.#draw()).observe(box);
  }

  /** @param {HistogramData | undefined} data @param {[from: number, to: number] | undefined} bounds the range asked for, epoch ms; without it, the buckets' own */
  show(data, bounds) {
    this.#data = data;
    this.#bounds = bounds;
    this.#draw();
  }

  #draw() {
    const width = this.#box.clientWidth;
    const buckets = this.#data?.buckets ?? [];
    const interval = Math.max(1, this.#data?.intervalMs ?? 1);
    const starts = buckets.map((bucket) => Date.parse(bucket.timestamp));
    if (width === 0) return;
    if (starts.length === 0) {
      this.#box.replaceChildren(
        element('p', { class: 'muted no-chart' }, this.#data === undefined ? '' : 'No events'),
      );
      return;
    }
    const [from, to] = this.#bounds ?? [starts[0] ?? 0, (starts.at(-1) ?? 0) + interval];
    const span = Math.max(1, to - from);
    const scale = (width - left - right) / span;
    const most = Math.max(1, ...buckets.map((bucket) => bucket.count));
    const baseline = height - axisHeight;
    const summary = `${formatCount(buckets.reduce((sum, bucket) => sum + bucket.count, 0))} events over time, by level`;
    const svg = svgElement('svg', {
      width,
      height,
      viewBox: `0 0 ${width} ${height}`,
      role: 'img',
      'aria-label': summary,
    });

    for (const share of most > 1 ? [0.5, 1] : [1]) {
      const y = baseline - share * (baseline - 8);
      svg.append(
        svgElement('line', { class: 'grid', x1: left, x2: width - right, y1: y, y2: y }),
        svgElement(
          'text',
          { class: 'axis', x: left - 6, y: y + 4, 'text-anchor': 'end' },
          compact(share * most),
        ),
      );
    }
    buckets.forEach((bucket, index) => {
      const start = starts[index] ?? 0;
      const x = left + Math.max(0, start - from) * scale;
      const end = left + Math.min(span, start + interval - from) * scale;
      const barWidth = Math.max(1, end - x - (end - x > 4 ? 1 : 0));
      svg.append(...bars(bucket, x, barWidth, baseline, (baseline - 8) / most));
    });
    svg.append(
      svgElement('line', {
        class: 'base',
        x1: left,
        x2: width - right,
        y1: baseline + 0.5,
        y2: baseline + 0.5,
      }),
    );
    for (const { at, label } of timeTicks(from, to, Math.max(2, Math.floor(width / 110)))) {
      const x = left + (at - from) * scale;
      if (x > width - 24) continue;
      svg.append(svgElement('text', { class: 'axis', x, y: height - 4, 'text-anchor': 'middle' }, label));
    }

    const timeAt = (/** @type {number} */ x) => from + (x - left) / scale;
    /** @param {number} x */
    const bucketAt = (x) => starts.findIndex((start) => timeAt(x) >= start && timeAt(x) < start + interval);
    dragRange(svg, { left, right: width - right, height: baseline }, (first, last) => {
      if (first !== last) return this.#select(Math.floor(timeAt(first)), Math.ceil(timeAt(last)));
      const start = starts[bucketAt(first)];
      if (start !== undefined) this.#select(start, start + interval);
    });
    svg.addEventListener('pointermove', (event) => {
      const x = event.clientX - svg.getBoundingClientRect().left;
      const index = bucketAt(x);
      const bucket = buckets[index];
      this.#tip.hidden = bucket === undefined;
      if (bucket !== undefined) this.#showTip(bucket, starts[index] ?? 0, x, width);
    });
    svg.addEventListener('pointerleave', () => (this.#tip.hidden = true));
    this.#tip.hidden = true;
    this.#box.replaceChildren(svg, this.#tip);
  }

  /** @param {Bucket} bucket @param {number} start @param {number} x @param {number} width */
  #showTip(bucket, start, x, width) {
    const present = levels.filter((level) => (bucket.levels[level] ?? 0) > 0).reverse();
    this.#tip.replaceChildren(
      element('strong', {}, formatDateTime(start)),
      element('span', {}, `${formatCount(bucket.count)} in all`),
      ...present.map((level) =>
        element(
          'span',
          { class: 'level', 'data-level': level },
          `${level} ${formatCount(bucket.levels[level] ?? 0)}`,
        ),
      ),
    );
    this.#tip.style.left = `${Math.min(Math.max(0, x + 12), width - 170)}px`;
  }
}

/** One bar, the worst level at the bottom so that its height compares across bars. @param {Bucket} bucket @param {number} x @param {number} width @param {number} baseline @param {number} scale */
function bars(bucket, x, width, baseline, scale) {
  const parts = [];
  let y = baseline;
  for (const level of [...levels].reverse()) {
    const count = bucket.levels[level] ?? 0;
    if (count === 0) continue;
    // A single error among thousands must still be seen.
    const size = Math.max(level === 'error' || level === 'fatal' ? 2 : 0.5, count * scale);
    y -= size;
    parts.push(svgElement('rect', { class: 'bar', 'data-level': level, x, y, width, height: size }));
  }
  return parts;
}

const compactNumber = new Intl.NumberFormat(undefined, { notation: 'compact', maximumFractionDigits: 1 });

/** @param {number} value */
function compact(value) {
  return compactNumber.format(value < 1000 ? Math.round(value) : value);
}
