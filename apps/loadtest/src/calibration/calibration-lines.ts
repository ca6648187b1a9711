import { causeName, causeNames, type CauseName } from '../analysis/cause-names.ts';
import type { Calibration } from './calibration.ts';

/** A calibration as lines of text: how often each lead was right, then what each injection led to. */
export function calibrationLines({ runs, causes, leads }: Calibration): string[] {
  const figures = (Object.keys(causeNames) as CauseName[]).map((cause) => {
    const figure = causes[cause];
    if (figure === undefined)
      return `  ${cause.padEnd(16)} led in none of them: how often it is right is unknown`;
    const [low, high] = figure.interval.map((share) => Math.round(share * 100));
    return `  ${cause.padEnd(16)} led in ${figure.led}, right in ${figure.right}: ${low} to ${high} %`;
  });
  const injections = Map.groupBy(leads, ({ injection }) => injection);
  return [
    `${runs} runs with a known cause`,
    'how often a lead was right (95 %):',
    ...figures,
    'what each injection led to:',
    ...[...injections].map(
      ([injection, of]) =>
        `  ${injection.padEnd(20)} ${of.map(({ lead, runs: count }) => `${lead} ${count}`).join(', ')}`,
    ),
    'causes:',
    ...(Object.keys(causeNames) as CauseName[]).map((cause) => `  ${cause.padEnd(16)} ${causeName(cause)}`),
  ];
}
