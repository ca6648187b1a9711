import { dragRange } from './drag-range.js';
import { element, svgElement } from './dom.js';
import { formatDuration, levels, microsOf } from './format.js';
import { decimalStep } from './time-axis.js';

/** @typedef {import('./event-row.js').LogEvent} LogEvent */
/** @typedef {{ event: LogEvent, lane: number, ms: number, endMs: number }} Tick `endMs`: when the span ended that the event was made from, else `ms` */

const laneHeight = 34;
const axisHeight = 22;
const right = 16;
const reach = 10;

/**
 * A request's events over time: one lane per service, one tick per event, one bar per span. Dragging zooms in, a double click zooms out.
 */
export class Timeline {
  #box;
  #point;
  #open;
  /** @type {string[]} */ #services = [];
  /** @type {Tick[]} */ #ticks = [];
  /** @type {[number, number] | undefined} */ #zoom;
  /** @type {Map<string, SVGElement>} */ #marks = new Map();
  /** @type {SVGElement | undefined} */ #marked;

  /**
   * @param {HTMLElement} box
   * @param {(event: LogEvent | undefined) => void} point the pointer is at this tick
   * @param {(event: LogEvent) => void} open a tick was clicked
   */
  constructor(box, point, open) {
    this.#box = box;
    this.#point = point;
    this.#open = open;
    new ResizeObserver(() => this.#draw()).observe(box);
  }

  /** @param {LogEvent[]} events in time order */
  show(events) {
    this.#services = [...new Set(events.map((event) => event.service))];
    const first = events.reduce((least, event) => Math.min(least, microsOf(event.timestamp)), Infinity);
    this.#ticks = events.map((event) => {
      const ms = (microsOf(event.timestamp) - first) / 1000;
      return {
        event,
        lane: this.#services.indexOf(event.service),
        ms,
        endMs: ms + spanMs(event.attributes),
      };
    });
    this.#zoom = undefined;
    this.#draw();
  }

  /** @param {string | undefined} id of the event whose tick stands out */
  highlight(id) {
    this.#marked?.classList.remove('highlight');
    this.#marked = id === undefined ? undefined : this.#marks.get(id);
    this.#marked?.classList.add('highlight');
    // Later siblings are drawn on top; ticks at the same time would hide it.
    if (this.#marked) this.#marked.parentNode?.append(this.#marked);
  }

  #draw() {
    const width = this.#box.clientWidth;
    this.#box.hidden = this.#ticks.length === 0;
    if (width === 0 || this.#ticks.length === 0) return;
    const narrow = width < 560;
    const left = narrow ? 12 : 150;
    const height = this.#services.length * laneHeight + axisHeight;
    const whole = Math.max(0.001, ...this.#ticks.map((tick) => tick.endMs));
    const [from, to] = this.#zoom ?? [0, whole];
    const scale = (width - left - right) / (to - from);
    const xOf = (/** @type {number} */ ms) => left + (ms - from) * scale;
    const label = `${this.#ticks.length} events in ${this.#services.length} services over ${formatDuration(whole)}`;
    const svg = svgElement('svg', {
      width,
      height,
      viewBox: `0 0 ${width} ${height}`,
      role: 'img',
      'aria-label': label,
    });

    const step = decimalStep(to - from, Math.max(2, Math.floor((width - left) / 90)));
    for (let index = Math.ceil(from / step); index * step <= to; index++) {
      const ms = index * step;
      svg.append(
        svgElement('line', { class: 'grid', x1: xOf(ms), x2: xOf(ms), y1: 0, y2: height - axisHeight }),
        svgElement(
          'text',
          { class: 'axis', x: xOf(ms), y: height - 6, 'text-anchor': 'middle' },
          ms === 0 ? '0' : `+${formatDuration(ms).replace(/\.0+ /, ' ')}`,
        ),
      );
    }
    this.#services.forEach((service, lane) => {
      const y = lane * laneHeight;
      svg.append(
        svgElement('line', {
          class: 'lane',
          x1: 0,
          x2: width,
          y1: y + laneHeight - 0.5,
          y2: y + laneHeight - 0.5,
        }),
        svgElement(
          'text',
          { class: 'lane-name', x: 12, y: narrow ? y + 11 : y + 21 },
          narrow ? service : shorten(service),
        ),
      );
    });
    const plot = svgElement('svg', {
      x: left - 4,
      y: 0,
      width: width - left - right + 8,
      height,
      viewBox: `${left - 4} 0 ${width - left - right + 8} ${height}`,
    });
    plot.append(...spanBars(this.#ticks, xOf, narrow), ...this.#tickMarks(xOf, narrow));
    svg.append(plot);
    const reset = element(
      'button',
      { type: 'button', class: 'zoom-out', onclick: () => this.#zoomTo(undefined) },
      'Whole request',
    );
    reset.hidden = this.#zoom === undefined;
    this.#listen(
      svg,
      { left, right: width - right, height: height - axisHeight },
      xOf,
      (x) => from + (x - left) / scale,
    );
    this.#box.replaceChildren(svg, reset);
  }

  /** @param {(ms: number) => number} xOf @param {boolean} narrow */
  #tickMarks(xOf, narrow) {
    this.#marks.clear();
    // Errors are drawn last, so that nothing hides them.
    const byLevel = [...this.#ticks].sort(
      (a, b) => levels.indexOf(a.event.level) - levels.indexOf(b.event.level),
    );
    return byLevel.map(({ event, lane, ms }) => {
      const y = lane * laneHeight + (narrow ? 15 : 8);
      const mark = svgElement('rect', {
        class: 'tick',
        'data-level': event.level,
        x: xOf(ms) - 1.5,
        y,
        width: 3,
        height: narrow ? 14 : 18,
        rx: 1.5,
      });
      this.#marks.set(event.id, mark);
      return mark;
    });
  }

  /** @param {SVGElement} svg @param {{ left: number, right: number, height: number }} area @param {(ms: number) => number} xOf @param {(x: number) => number} timeAt */
  #listen(svg, area, xOf, timeAt) {
    /** @param {MouseEvent} event */
    const nearest = (event) => {
      const box = svg.getBoundingClientRect();
      const x = event.clientX - box.left;
      const lane = Math.floor((event.clientY - box.top) / laneHeight);
      const distance = (/** @type {Tick} */ tick) => Math.abs(xOf(tick.ms) - x);
      const inLane = this.#ticks.filter((tick) => tick.lane === lane && distance(tick) <= reach);
      return inLane.sort((a, b) => distance(a) - distance(b))[0]?.event;
    };
    svg.addEventListener('pointermove', (event) => {
      const found = nearest(event);
      this.highlight(found?.id);
      this.#point(found);
      svg.classList.toggle('at-tick', found !== undefined);
    });
    svg.addEventListener('pointerleave', () => {
      this.highlight(undefined);
      this.#point(undefined);
    });
    svg.addEventListener('click', (event) => {
      const found = nearest(event);
      if (found !== undefined) this.#open(found);
    });
    svg.addEventListener('dblclick', () => this.#zoomTo(undefined));
    dragRange(svg, area, (from, to) => {
      if (to - from > reach) this.#zoomTo([timeAt(from), timeAt(to)]);
    });
  }

  /** @param {[number, number] | undefined} zoom */
  #zoomTo(zoom) {
    this.#zoom = zoom;
    this.#draw();
  }
}

/** A bar from the first event of each span to the last, or to the end that a tracer says, in each lane it has events in. @param {Tick[]} ticks @param {(ms: number) => number} xOf @param {boolean} narrow */
function spanBars(ticks, xOf, narrow) {
  /** @type {Map<string, { lane: number, first: number, last: number }>} */
  const spans = new Map();
  for (const { event, lane, ms, endMs } of ticks) {
    if (event.spanId === undefined) continue;
    const key = `${lane} ${event.spanId}`;
    const span = spans.get(key);
    if (span === undefined) spans.set(key, { lane, first: ms, last: endMs });
    else Object.assign(span, { first: Math.min(span.first, ms), last: Math.max(span.last, endMs) });
  }
  return [...spans.values()].map(({ lane, first, last }) =>
    svgElement('rect', {
      class: 'span',
      x: xOf(first) - 3,
      y: lane * laneHeight + (narrow ? 18 : 12),
      width: Math.max(0, xOf(last) - xOf(first)) + 6,
      height: narrow ? 8 : 10,
      rx: 4,
    }),
  );
}

/** How long the span took that an event was made from; 0 for every other event. @param {Record<string, unknown>} attributes */
function spanMs({ eventKind, durationMs }) {
  return eventKind === 'span' && typeof durationMs === 'number' ? Math.max(0, durationMs) : 0;
}

/** @param {string} text */
function shorten(text) {
  return text.length > 18 ? `${text.slice(0, 17)}…` : text;
}
