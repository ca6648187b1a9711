import { escapeControls } from '@logloom/telemetry/escape-controls';
import { colors as pc } from './colors.ts';

interface PathStep {
  service: string;
  name: string;
  ms: number;
  errors: number;
}

interface PathSpan extends PathStep {
  depth: number;
  selfMs: number;
  count?: number;
  critical: boolean;
  omitted?: number;
}

/** The shown part of the path in `GET /api/correlations/{id}`. */
export type PathJson =
  { by: 'spans'; steps: PathSpan[]; omitted: number } | { by: 'order'; steps: PathStep[]; omitted: number };

const maxLines = 40;
const maxSteps = 8;

/** A request's path for a terminal: a tree of spans with branches, in which the critical path is bold; or the services in turn. */
export function requestPathLines(path: PathJson): string[] {
  if (path.by === 'order') return path.steps.length > 1 ? [orderLine(path.steps, path.omitted)] : [];
  const shown = path.steps.slice(0, maxLines);
  const left = path.steps.length - shown.length + path.omitted;
  return [
    ...branches(shown).map((branch, i) => pc.dim(branch) + spanText(shown[i]!)),
    ...(left > 0 ? [pc.dim(`… ${left} more spans, see --json`)] : []),
  ];
}

/** What stands before each span: which of the spans above it have more children below. */
function branches(spans: readonly PathSpan[]): string[] {
  // From the end on: whether there is a later span at each depth, before one that is less deep.
  const open: boolean[] = [];
  return spans
    .toReversed()
    .map(({ depth }) => {
      const above = Array.from({ length: Math.max(0, depth - 1) }, (_, i) =>
        open[i + 1] === true ? '│  ' : '   ',
      );
      const own = depth === 0 ? '' : open[depth] === true ? '├─ ' : '└─ ';
      open.length = depth + 1;
      for (let i = 0; i <= depth; i++) open[i] ??= false;
      open[depth] = true;
      return above.join('') + own;
    })
    .reverse();
}

function spanText({ service, name, ms, selfMs, count, critical, errors, omitted }: PathSpan): string {
  const label = pc.cyan(escapeControls(service));
  const times = count === undefined ? '' : `${count} × `;
  const failed = errors === 0 ? '' : pc.red(errors === 1 ? ' 1 error' : ` ${errors} errors`);
  const self = selfMs === ms ? '' : `, self ${selfMs} ms`;
  const left = omitted === undefined ? '' : pc.dim(` and ${omitted} more below`);
  return `${times}${critical ? pc.bold(label) : label} ${escapeControls(name)} ${pc.dim('·')} ${ms} ms${self}${failed}${left}`;
}

function orderLine(steps: readonly PathStep[], omitted: number): string {
  const texts = steps.slice(0, maxSteps).map(({ service, ms }) => `${escapeControls(service)} ${ms} ms`);
  const left = steps.length - texts.length + omitted;
  return texts.join(' → ') + (left > 0 ? ` → … ${left} more` : '');
}
