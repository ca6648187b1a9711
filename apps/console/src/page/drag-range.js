import { svgElement } from './dom.js';

/**
 * Lets users select a range of a chart by dragging.
 * @param {SVGElement} svg
 * @param {{ left: number, right: number, height: number }} area in the chart's units, which are pixels
 * @param {(from: number, to: number) => void} select called with both ends in chart units, from ≤ to; equal after a click
 */
export function dragRange(svg, area, select) {
  const shade = svgElement('rect', { class: 'drag', y: 0, height: area.height, visibility: 'hidden' });
  svg.append(shade);
  /** @type {number | undefined} */
  let start;
  /** @param {PointerEvent} event */
  const xOf = (event) =>
    Math.min(area.right, Math.max(area.left, event.clientX - svg.getBoundingClientRect().left));
  svg.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    start = xOf(event);
    svg.setPointerCapture(event.pointerId);
  });
  svg.addEventListener('pointermove', (event) => {
    if (start === undefined) return;
    const at = xOf(event);
    shade.setAttribute('visibility', 'visible');
    shade.setAttribute('x', String(Math.min(start, at)));
    shade.setAttribute('width', String(Math.abs(at - start)));
  });
  svg.addEventListener('pointerup', (event) => {
    if (start === undefined) return;
    const at = xOf(event);
    const [from, to] = [Math.min(start, at), Math.max(start, at)];
    start = undefined;
    shade.setAttribute('visibility', 'hidden');
    if (to - from < 4) select(at, at);
    else select(from, to);
  });
  svg.addEventListener('pointercancel', () => {
    start = undefined;
    shade.setAttribute('visibility', 'hidden');
  });
}
