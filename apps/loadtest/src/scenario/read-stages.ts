import type { Shape, Stage } from './scenario.ts';
import { secondsOf } from './seconds-of.ts';

/** A stage as a file says it. */
export interface StageFile {
  name?: string;
  to?: number;
  for: string;
  shape?: Exclude<Shape, 'recorded'>;
  count?: number;
}

/** A stage without a value keeps the one before. */
export function stagesOf(stages: readonly StageFile[]): Stage[] {
  let value = 0;
  return stages.map(({ to = value, for: duration, shape = 'linear', ...rest }) => {
    if (shape !== 'spike' && shape !== 'bursts') value = to;
    return { ...rest, to, shape, seconds: secondsOf(duration) };
  });
}
