import type { Analysis, AddressShare, Lead, Sequence } from '../analysis/analysis-result.ts';
import { causeName } from '../analysis/cause-names.ts';
import { fullSymptomName, symptomName } from '../analysis/symptom-names.ts';
import type { RunResult } from '../result.ts';
import { cascadeDrawing } from './cascade-drawing.ts';
import { formatCount, formatNumber, formatSeconds, formatShare } from './format-quantity.ts';
import type { Section, Table } from './report-section.ts';
import { saturationSection } from './saturation-section.ts';

/** More episodes than these are listed and not drawn. */
const mostDrawn = 6;

/** What the failures of a run say about each other and their cause. */
export function analysisSections(result: RunResult): Section[] {
  const { analysis } = result;
  if (analysis === undefined)
    return [{ title: 'Analysis', paragraphs: ['This result was not analysed.'], tables: [] }];
  return [causes(result, analysis), relations(analysis), saturationSection(result, analysis.saturation)];
}

/** The leading cause in words, with how often such a lead was right. */
export function leadText({ cause, calibration }: Lead): string {
  if (cause === 'unknown')
    return 'unknown: no candidate has enough evidence, or none clearly more than another';
  return `${causeName(cause)} (${calibrationText(calibration)})`;
}

function calibrationText(calibration: Lead['calibration']): string {
  if (calibration === null)
    return 'this rule led in no run with a known cause, so how often it is right is unknown';
  const { led, right, interval } = calibration;
  const [low, high] = interval.map((share) => Math.round(share * 100));
  return `of ${led} runs with a known cause where this rule led, ${right} right, ${low} to ${high} %`;
}

function causes({ faults }: RunResult, analysis: Analysis): Section {
  const { episodes } = analysis;
  const title = 'Failures over time and their causes';
  if (episodes.length === 0)
    return {
      title,
      paragraphs: ['Nothing differed from the calm part of the run by more than it varies.'],
      tables: [],
    };
  const worst = episodes.toSorted((a, b) => b.symptoms.length - a.symptoms.length).slice(0, mostDrawn);
  return {
    title,
    paragraphs: [
      'An episode is what was wrong with no more than five seconds between. Candidates are ranked by the weights of their evidence, which are no probabilities; how often a lead was right comes from runs with a known cause. Injected faults are no evidence.',
      ...(faults.length === 0
        ? []
        : [
            `The scenario injected: ${faults.map(({ kind, startedS }) => `${kind} at ${formatSeconds(startedS)}`).join(', ')}.`,
          ]),
      ...(episodes.length > mostDrawn
        ? [`Drawn are the ${mostDrawn} episodes with the most symptoms, of ${episodes.length}.`]
        : []),
    ],
    drawings: episodes.flatMap((episode, i) =>
      worst.includes(episode) ? [cascadeDrawing(analysis, episode, i + 1)] : [],
    ),
    tables: [
      {
        caption: 'Episodes',
        columns: ['', 'from', 'to', 'components', 'leading cause'],
        rows: episodes.map(({ fromS, toS, components, lead }, i) => [
          `E${i + 1}`,
          formatSeconds(fromS),
          formatSeconds(toS),
          components.join(', '),
          leadText(lead),
        ]),
      },
      {
        caption: 'Candidates, each with its evidence',
        columns: ['episode', 'cause', 'score', 'evidence', 'refuted if'],
        rows: episodes.flatMap(({ candidates }, i) =>
          candidates
            .filter(({ score }) => score > 0)
            .map(({ cause, score, evidence, refutedBy }) => [
              `E${i + 1}`,
              causeName(cause),
              formatNumber(score),
              evidence
                .map(
                  ({ kind, weight, text }) =>
                    `${weight > 0 ? '+' : ''}${formatNumber(weight)} ${kind === 'sign' ? '' : `${kind}: `}${text}`,
                )
                .join('; '),
              refutedBy,
            ]),
        ),
      },
    ],
  };
}

function relations({ sequences, addresses, symptoms }: Analysis): Section {
  const byComponent = Map.groupBy(symptoms, ({ component }) => component);
  const components: Table = {
    caption: 'By component',
    columns: ['component', 'symptoms', 'seconds', 'kinds'],
    rows: [...byComponent].map(([component, of]) => [
      component,
      formatCount(of.length),
      formatCount(of.reduce((sum, { fromS, toS }) => sum + toS - fromS, 0)),
      [...new Set(of.map(({ kind }) => symptomName(kind)))].join(', '),
    ]),
  };
  const shown = sequences.some(({ beyondChance }) => beyondChance);
  return {
    title: 'Sequences, components and addresses',
    paragraphs: [
      shown
        ? 'Sequences beyond chance: the second symptom began within ten seconds of the first more often than when the run is turned against itself (p below 0.05, corrected for all pairs).'
        : 'No symptom began after another more often than chance explains. One such case alone never shows it.',
      ...(addresses.length > 0
        ? [addressText(addresses)]
        : ['No connection failed or was lost, so nothing is known of addresses.']),
    ],
    tables: [
      ...(byComponent.size > 0 ? [components] : []),
      ...(sequences.length > 0 ? [sequenceTable(sequences)] : []),
      ...(addresses.length > 0 ? [addressTable(addresses)] : []),
    ],
  };
}

function sequenceTable(sequences: readonly Sequence[]): Table {
  return {
    caption: 'What began after what',
    columns: ['first', 'then', 'followed', 'by chance', 'p', ''],
    rows: sequences
      .slice(0, 10)
      .map(({ first, then, followed, of, expected, p, beyondChance }) => [
        fullSymptomName(first),
        fullSymptomName(then),
        `${followed} of ${of}`,
        formatNumber(expected),
        formatNumber(p),
        beyondChance ? 'beyond chance' : 'not shown',
      ]),
  };
}

function addressText(addresses: readonly AddressShare[]): string {
  const [first] = addresses;
  return first!.p < 0.05
    ? `More connections from ${first!.address} failed or were lost than chance explains, if each failed on its own.`
    : 'No address stands out: failed and lost connections are spread as chance spreads them.';
}

function addressTable(addresses: readonly AddressShare[]): Table {
  return {
    caption: 'Failed and lost connections by address, the most first',
    columns: ['address', 'failures', 'share', 'p'],
    rows: addresses
      .slice(0, 10)
      .map(({ address, failures, share, p }) => [
        address,
        formatCount(failures),
        formatShare(share),
        formatNumber(p),
      ]),
  };
}
